declare module 'snappyjs' {
  const snappy: { uncompress(packed: Buffer): Buffer; compress(plain: Buffer): Buffer };
  export default snappy;
}
