/** The frames of `/asok/live`: JSON arrays, told apart by their first element. */

/** A replacement of `del` UTF-16 units at `at` of the base string by `text`. */
export type Splice = [at: number, del: number, text: string];

/** The version that asks a join for the full HTML: "I show nothing that you know". */
export const NO_VERSION = -1;

export type Call = [kind: "c", n: number, seq: number, method?: string, args?: unknown, data?: unknown];

export type ClientFrame =
  | [kind: "j", n: number, token: string | undefined, tab: string, version: number | undefined]
  | Call
  | [kind: "l", n: number];

export type ServerFrame =
  | [kind: "h", n: number, version: number, html: string, seq: number]
  | [kind: "s", n: number, version: number, base: number, splices: Splice[], seq: number]
  | [kind: "o", n: number, version: number, seq: number]
  | [kind: "e", n: number, seq: number, code: string, message: string]
  | [kind: "t", csrf: string]
  | [kind: "r", reason: string];
