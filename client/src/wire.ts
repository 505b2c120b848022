/** The frames of `/asok/live`: JSON arrays, told apart by their first element. */

/** A replacement of `del` UTF-16 units at `at` of the base string by `text`. */
export type Splice = [at: number, del: number, text: string];

export type Call = [
  kind: "c",
  n: number,
  seq: number,
  method?: string,
  args?: unknown,
  data?: unknown,
];

/** `version` is what the browser shows: undefined the page's own HTML, -1 nothing known. */
export type ClientFrame =
  | [kind: "j", n: number, token: string | undefined, tab: string, version: number | undefined]
  | Call
  | [kind: "l", n: number];

/**
 * From the server, `seq` being the call that is answered (0 for none):
 *
 *     ["h", n, version, html, seq]            the whole inside of a component
 *     ["s", n, version, base, splices, seq]   what differs from the base version
 *     ["o", n, version, seq]                  nothing changed
 *     ["e", n, seq, code, message]            the call failed
 *     ["t", csrf]                             a new CSRF value for every form
 *     ["r", reason]                           please reload
 */
