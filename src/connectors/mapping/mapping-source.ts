import type { ZodType } from 'zod';
import { type ReadYaml, readShapedYaml } from '../../language/shaped-yaml.ts';

/** A mapping document is at most this long, in UTF-16 code units. */
export const MAX_MAPPING_LENGTH = 1024 * 1024;

/** Reads a mapping's YAML and checks its shape; never throws for what the document holds. */
export const readMappingSource = <T>(text: string, file: string, shape: ZodType<T>): ReadYaml<T> =>
  readShapedYaml(text, file, shape, {
    what: 'the mapping',
    maxLength: MAX_MAPPING_LENGTH,
    codes: { yaml: 'PLB-MAP-YAML', shape: 'PLB-MAP-SHAPE', size: 'PLB-MAP-SIZE' },
  });
