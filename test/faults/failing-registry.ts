import type { Answer, Asked, FakeRegistry } from '../support/fake-registry.ts';
import type { Fault } from './schedule.ts';

type Failing = Extract<Fault, { readonly kind: 'registry' }>['answer'];

/** A registry that is there and of no use. Its 404 is that of whatever stands before it, not the registry's own. */
export const answering =
  (failing: Failing): FakeRegistry['answer'] =>
  (_asked: Asked): Answer =>
    failing === 'never' ? 'never' : { status: Number(failing), text: '<html>not today</html>' };
