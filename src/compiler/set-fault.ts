/** A set's version failed on an image: the cost limit, or a fault of the compiler's own. Never because of data. */
export class SetFault extends Error {
  override readonly name = 'SetFault';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
