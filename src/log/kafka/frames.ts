const SIZE_BYTES = 4;

/**
 * Gives responses on as wholes: each is its size, four bytes, and so many more. kafkajs itself keeps the part of a
 * response that it has when its connection ends, and takes what the next connection brings for the rest of it: answers
 * are then garbled or never come, and a size that is none throws where nobody can catch it.
 * @param refuse what comes is no response of Kafka's
 * @returns what takes the pieces of one connection as they come
 */
export function wholeFrames(give: (frame: Buffer) => void, refuse: () => void): (piece: Buffer) => void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let needed = SIZE_BYTES;
  return (piece) => {
    pieces.push(piece);
    bytes += piece.length;
    while (bytes >= needed) {
      const held = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
      pieces = [held];
      needed = SIZE_BYTES + held.readInt32BE(0);
      if (needed < SIZE_BYTES) return refuse();
      if (bytes < needed) return;
      pieces = [held.subarray(needed)];
      bytes -= needed;
      const frame = held.subarray(0, needed);
      needed = SIZE_BYTES;
      give(frame);
    }
  };
}
