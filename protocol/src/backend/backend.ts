/**
 * The cryptographic primitives that the protocol stands on, behind one small interface with two implementations
 * that give identical bytes: `noble` (pure JavaScript: the reference and the fallback) and `sodium`
 * (libsodium in WebAssembly: the bulk work). Neither is ours.
 *
 * All elements are 32-byte ristretto255 encodings (RFC 9496), all scalars 32 bytes little-endian modulo the group
 * order. Every function rejects what RFC 9497 section 2.1 tells to reject, so nothing downstream checks again:
 * an element that is malformed, not canonical or the identity throws `element-invalid`, a scalar that is
 * zero or not below the order throws `scalar-invalid`.
 */
export interface Group {
  /** scalar·element. The identity never comes out: it could only come from inputs that are rejected. */
  multiply(scalar: Uint8Array, element: Uint8Array): Uint8Array;
  /** scalar·B, B the generator. */
  multiplyBase(scalar: Uint8Array): Uint8Array;
  /** a + b. Throws `element-invalid` when the sum is the identity. */
  add(a: Uint8Array, b: Uint8Array): Uint8Array;
  /** The one-way map of 64 uniform bytes to an element (RFC 9496 section 4.3.4). */
  fromUniformBytes(bytes: Uint8Array): Uint8Array;
  /** 64 little-endian bytes modulo the order; may be zero. */
  reduceScalar(bytes: Uint8Array): Uint8Array;
  /** a·b modulo the order. */
  multiplyScalars(a: Uint8Array, b: Uint8Array): Uint8Array;
  /** a − b modulo the order; may be zero. */
  subtractScalars(a: Uint8Array, b: Uint8Array): Uint8Array;
  /** 1/a modulo the order. */
  invertScalar(a: Uint8Array): Uint8Array;
}

/** ChaCha20-Poly1305 (RFC 8439): 32-byte key, 12-byte nonce, 16-byte tag at the end of the ciphertext. */
export interface Aead {
  /** `front` comes before the ciphertext as it is: a large one need not be copied to put something there. */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    plaintext: Uint8Array,
    front?: Uint8Array,
  ): Uint8Array;
  /** Throws `decryption-failed`, whatever the cause. */
  open(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array): Uint8Array;
}

/** Ed25519 (RFC 8032): 32-byte seeds and public keys, 64-byte signatures. */
export interface Signatures {
  publicKey(seed: Uint8Array): Uint8Array;
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

export interface Backend {
  readonly name: 'noble' | 'sodium';
  readonly group: Group;
  readonly aead: Aead;
  readonly signatures: Signatures;
  /** SHA-256 (FIPS 180-4). */
  sha256(message: Uint8Array): Uint8Array;
  /** SHA-512 (FIPS 180-4). */
  sha512(message: Uint8Array): Uint8Array;
}

/** Bytes of an encoded element, and of an encoded scalar. */
export const ELEMENT_BYTES = 32;
export const SCALAR_BYTES = 32;
/** Bytes that an AEAD adds to its plaintext. */
export const AEAD_TAG_BYTES = 16;
