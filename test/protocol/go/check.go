package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A check is one thing that this project made. Which members count depends on Kind.
type check struct {
	Kind      string            `json:"kind"`
	Size      int64             `json:"size"`
	Root      []byte            `json:"root"`
	OldSize   int64             `json:"oldSize"`
	OldRoot   []byte            `json:"oldRoot"`
	Index     int64             `json:"index"`
	Leaf      []byte            `json:"leaf"`
	Proof     [][]byte          `json:"proof"`
	Origin    string            `json:"origin"`
	LogKey    string            `json:"logKey"`
	Witnesses []string          `json:"witnesses"`
	Text      string            `json:"text"`
	Tiles     map[string][]byte `json:"tiles"`
}

func (c check) run() error {
	switch c.Kind {
	case "inclusion":
		return tlog.CheckRecord(c.hashes(), c.Size, hash(c.Root), c.Index, tlog.RecordHash(c.Leaf))
	case "consistency":
		return tlog.CheckTree(c.hashes(), c.Size, hash(c.Root), c.OldSize, hash(c.OldRoot))
	case "checkpoint":
		return c.checkpoint(c.Text)
	case "receipt":
		return c.receipt()
	case "tiles":
		return c.tiles()
	}
	return fmt.Errorf("there is no kind of check %q", c.Kind)
}

func (c check) hashes() []tlog.Hash {
	hashes := make([]tlog.Hash, len(c.Proof))
	for i, bytes := range c.Proof {
		hashes[i] = hash(bytes)
	}
	return hashes
}

func hash(bytes []byte) (h tlog.Hash) {
	copy(h[:], bytes)
	return h
}

// checkpoint holds when the text is signed by the log and by every witness, and says the size and the root.
func (c check) checkpoint(text string) error {
	verifier, err := note.NewVerifier(c.LogKey)
	if err != nil {
		return err
	}
	var witnesses []note.Verifier
	for _, key := range c.Witnesses {
		witness, err := cosignature.NewVerifierForCosignatureV1(key)
		if err != nil {
			return err
		}
		witnesses = append(witnesses, witness)
	}
	checkpoint, rest, opened, err := log.ParseCheckpoint([]byte(text), c.Origin, verifier, witnesses...)
	if err != nil {
		return err
	}
	if len(rest) > 0 || len(opened.Sigs) != 1+len(witnesses) || len(opened.UnverifiedSigs) > 0 {
		return errors.New("the checkpoint has other lines or signatures than it should")
	}
	if int64(checkpoint.Size) != c.Size || !bytes.Equal(checkpoint.Hash, c.Root) {
		return errors.New("the checkpoint is of another tree")
	}
	return nil
}

func (c check) receipt() error {
	var receipt proof.TLogProof
	if err := receipt.Unmarshal([]byte(c.Text)); err != nil {
		return err
	}
	if string(receipt.Marshal()) != c.Text || int64(receipt.Index) != c.Index {
		return errors.New("the receipt has another form")
	}
	if err := c.checkpoint(string(receipt.Checkpoint)); err != nil {
		return err
	}
	var hashes []tlog.Hash
	for _, h := range receipt.Hashes {
		hashes = append(hashes, h)
	}
	return tlog.CheckRecord(hashes, c.Size, hash(c.Root), c.Index, tlog.RecordHash(c.Leaf))
}

// tileFiles reads the files of a log by the paths of C2SP tlog-tiles: those of Go, without the height.
type tileFiles map[string][]byte

func (files tileFiles) Height() int { return 8 }

func (files tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (files tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		var found bool
		if data[i], found = files[path]; !found {
			return nil, fmt.Errorf("there is no %s", path)
		}
	}
	return data, nil
}

// tiles holds when the files are those of the tree and nothing else, and give the same proof.
func (c check) tiles() error {
	var expected []string
	for _, tile := range tlog.NewTiles(8, 0, c.Size) {
		expected = append(expected, "tile/"+strings.TrimPrefix(tile.Path(), "tile/8/"))
	}
	var given []string
	for path := range c.Tiles {
		if _, err := tlog.ParseTilePath("tile/8/" + strings.TrimPrefix(path, "tile/")); err != nil {
			return err
		}
		given = append(given, path)
	}
	slices.Sort(expected)
	slices.Sort(given)
	if !slices.Equal(expected, given) {
		return fmt.Errorf("the files are %v, not %v", given, expected)
	}
	// The reader of Go checks every tile against the root.
	reader := tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: hash(c.Root)}, tileFiles(c.Tiles))
	for index := range c.Size {
		if _, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)}); err != nil {
			return err
		}
	}
	proof, err := tlog.ProveRecord(c.Size, c.Index, reader)
	if err != nil {
		return err
	}
	if !slices.Equal(proof, c.hashes()) {
		return errors.New("the tiles give another proof")
	}
	return nil
}
