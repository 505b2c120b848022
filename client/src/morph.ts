/** Turn the children of one element into those of another and keep every node that can stay. */

import type { Component, QueuedCall } from "./component.ts";

/** An <input>, <select>, <textarea> or <option>; every other element lacks these. */
export type Field = HTMLElement & {
  dirty_?: Partial<QueuedCall> | undefined;
  name?: string;
  type?: string;
  data?: string;
  value?: unknown;
  checked?: boolean;
  selected?: boolean;
  defaultValue?: string;
  defaultChecked?: boolean;
};

export const STATE = ["data", "value", "checked", "selected"] as const;

/** `key` or `id`; read as attributes, since a form's `id` may be its input of that name. */
const keyOf = (node: any): string => node.nodeName + (node.getAttribute?.("key") || node.id);

/** `open_` of a <details> or <dialog>: the last `open` that the server wrote. */
type Old = Field & Component & { open?: boolean; open_?: boolean };

export const morph = (old: Old, next: Old) => {
  let kept;
  if (next.attributes) {
    const focused = "required" in old && old == document.activeElement;
    kept = old.name == "csrf_token" ||
    (old.dirty_?.done_
      ? old.dirty_.key_ && (focused || !next.value)
      : old.dirty_ ||
        focused ||
        // Typed before this script ran, or filled in by the browser.
        old.value != (old.defaultValue ?? old.value) ||
        old.checked != old.defaultChecked);
  for (const { name } of [...next.attributes, ...old.attributes]) {
    const wanted = next.getAttribute(name);
    if (
      name != "nonce" &&
      // Written when the server changed its mind; in between it is the visitor's.
      (name != "open" || !old.open_ != !next.open) &&
      !(kept && STATE.includes(name as any))
    )
      if (wanted == null) old.removeAttribute(name);
      else if (old.getAttribute(name) != wanted) old.setAttribute(name, wanted);
  }
  old.open_ = next.open!;
  }
  if (!kept) {
  const wantedNodes = [...next.childNodes] as Node[] as Old[];
  wantedNodes.map((wanted, index) => {
    const current = old.childNodes[index] as Node as Old;
    let found: any = current;
    while (found && keyOf(found) != keyOf(wanted)) found = found.nextSibling;
    (found && found == current) ||
      (old as any)[found && (old as any).moveBefore ? "moveBefore" : "insertBefore"](found || wanted, current);
    // A hydrated component inside this one owns its content.
    if (found && !found.calls_) morph(found, wanted);
  });
  while (old.childNodes[wantedNodes.length]) old.lastChild!.remove();
    for (const name of STATE) if (old[name] + "" != next[name] + "") (old as any)[name] = next[name];
  }
};
