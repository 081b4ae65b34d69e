// Reasons why a schema is incompatible, read from the messages of the registry:
//
//   {errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'… (at path '/fields/1')', additionalInfo:'total'}
//   {oldSchemaVersion: 2}     the version that the reasons before it are about
//   {oldSchema: '…'}  {validateFields: 'false', compatibility: 'BACKWARD'}
//
// No message is lost: one that is none of these is a reason as it stands.

export interface Reason {
  version?: number;
  path: string;
  kind: string;
  words: string;
}

const DIFFERENCE = /^\{errorType:(['"])(.*?)\1, description:\1([\s\S]*?)\1(?:, additionalInfo:[\s\S]*)?\}$/;

export function readReasons(messages: readonly string[]): Reason[] {
  const reasons: Reason[] = [];
  for (const message of messages) {
    const version = /^\{oldSchemaVersion:\s*(\d+)\}$/.exec(message)?.[1];
    if (version !== undefined) {
      for (const reason of reasons) reason.version ??= Number(version);
      continue;
    }
    const [, , kind, told] = DIFFERENCE.exec(message) ?? [];
    if (kind !== undefined && told !== undefined) reasons.push({ kind, ...pathOf(told) });
    else if (!/^\{(oldSchema|validateFields):/.test(message)) reasons.push({ kind: "", path: "", words: message });
  }
  return reasons;
}

/** The path that a description names, and the description; one that ends with the path goes without. */
function pathOf(told: string): { path: string; words: string } {
  const [, words, last] = /^([\s\S]*) \(at path '([^']*)'\)$/.exec(told) ?? [];
  if (words !== undefined && last !== undefined) return { path: last, words };
  return { path: /path '([^']*)'/.exec(told)?.[1] ?? "", words: told };
}
