/** Text splices: offsets are UTF-16 units of the base, ascending, as JavaScript counts. */

import type { Splice } from "./wire.ts";

export const splice = (html: string, splices: Splice[]): string => {
  for (const [at, del, text] of splices.reverse())
    html = html.slice(0, at) + text + html.slice(at + del);
  return html;
};
