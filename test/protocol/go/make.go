package main

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A plan says which log to make: its leaves, and the key that signs.
type plan struct {
	Origin string   `json:"origin"`
	LogKey string   `json:"logKey"`
	Seed   []byte   `json:"seed"`
	Leaves [][]byte `json:"leaves"`
}

// made is a log of every size from 1 to all leaves.
type made struct {
	Heads      []head `json:"heads"`
	WitnessKey string `json:"witnessKey"`
	// A cosigned checkpoint of the last head, and the receipt of the leaf in the middle.
	Checkpoint string `json:"checkpoint"`
	Receipt    string `json:"receipt"`
}

type head struct {
	Root tlog.Hash `json:"root"`
	// A proof for each leaf, and for each smaller size from 1 on.
	Inclusion   [][]tlog.Hash `json:"inclusion"`
	Consistency [][]tlog.Hash `json:"consistency"`
	// The checkpoint, signed by the log alone.
	Checkpoint string `json:"checkpoint"`
}

type stored []tlog.Hash

func (hashes *stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		read[i] = (*hashes)[index]
	}
	return read, nil
}

func (p plan) run() (*made, error) {
	signer, err := p.signer()
	if err != nil {
		return nil, err
	}
	result := &made{}
	hashes := &stored{}
	for n, leaf := range p.Leaves {
		added, err := tlog.StoredHashes(int64(n), leaf, hashes)
		if err != nil {
			return nil, err
		}
		*hashes = append(*hashes, added...)
		head, err := p.head(hashes, int64(n)+1, signer)
		if err != nil {
			return nil, err
		}
		result.Heads = append(result.Heads, *head)
	}
	return result, p.cosign(result, signer)
}

// signer is the key of the log in the form that Go takes.
func (p plan) signer() (note.Signer, error) {
	id := strings.SplitN(p.LogKey, "+", 3)[1]
	key := base64.StdEncoding.EncodeToString(append([]byte{1}, p.Seed...))
	return note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", p.Origin, id, key))
}

func (p plan) head(hashes *stored, size int64, signer note.Signer) (*head, error) {
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return nil, err
	}
	result := &head{Root: root}
	for n := range size {
		inclusion, err := tlog.ProveRecord(size, n, hashes)
		if err != nil {
			return nil, err
		}
		result.Inclusion = append(result.Inclusion, inclusion)
		if n == 0 {
			continue
		}
		consistency, err := tlog.ProveTree(size, n, hashes)
		if err != nil {
			return nil, err
		}
		result.Consistency = append(result.Consistency, consistency)
	}
	text := log.Checkpoint{Origin: p.Origin, Size: uint64(size), Hash: root[:]}.Marshal()
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	result.Checkpoint = string(signed)
	return result, err
}

func (p plan) cosign(result *made, signer note.Signer) error {
	name := "politie.waalstad.hitmachine/witness"
	secret, public, err := note.GenerateKey(nil, name)
	if err != nil {
		return err
	}
	if result.WitnessKey, err = cosignature.VKeyToCosignatureV1(public); err != nil {
		return err
	}
	witness, err := cosignature.NewSignerForCosignatureV1(secret)
	if err != nil {
		return err
	}
	last := result.Heads[len(result.Heads)-1]
	text, _, _ := strings.Cut(last.Checkpoint, "\n\n")
	signed, err := note.Sign(&note.Note{Text: text + "\n"}, signer, witness)
	if err != nil {
		return err
	}
	middle := len(result.Heads) / 2
	receipt := proof.TLogProof{Index: uint64(middle), Checkpoint: signed}
	for _, hash := range last.Inclusion[middle] {
		receipt.Hashes = append(receipt.Hashes, hash)
	}
	result.Checkpoint, result.Receipt = string(signed), string(receipt.Marshal())
	return nil
}
