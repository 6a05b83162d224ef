/** What avsc reads from and writes to: of its own, but the same since its version 3. Its versions are pinned. */
export interface Tap {
  readonly buf: Buffer & { utf8Write(text: string, from: number, length: number): number };
  pos: number;
  readLong(): number;
  readString(): string;
  writeLong(value: number): void;
  writeString(value: string): void;
}

/** How avsc asks a type whether it takes a value. */
export type Hook = (value: unknown, type: unknown) => void;
