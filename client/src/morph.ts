/** Turn the children of one element into those of another and keep every node that can stay. */

import { more } from "./loader.ts";
import type { Component, QueuedCall } from "./component.ts";

/** An <input>, <select>, <textarea> or <option>; every other element lacks most of these. */
export type Field = HTMLElement & {
  /**
   * Present from a keystroke on: an empty object first, then the call that carried the value.
   * Until that call is answered, the value is the visitor's.
   */
  dirty_?: Partial<QueuedCall>;
  name?: string;
  type?: string;
  value?: string;
  checked?: boolean;
  defaultValue?: string;
  defaultChecked?: boolean;
};

/** What a morph works on: an element with whatever of these it has, or a text, or a fragment. */
type Node_ = Field & Component & { open?: boolean; open_?: boolean | undefined };

/** Properties that attributes only begin; `data` is the text of a text node. */
const STATE: Record<string, 1> = { data: 1, value: 1, checked: 1, selected: 1 };

/** Nodes of the same identity are one node. A form's `id` may be its input of that name: then
 * both sides are the same text, and the form counts as one without a key. */
const identity = (node: any): string =>
  node.nodeName + node.name + (node.getAttribute?.("key") || node.id);

/**
 * Make the attributes and children of `old` those of `next`, which stays as it is. Called with
 * the same element twice it changes nothing, but notes what the server wrote.
 */
export const morph: (old: any, next: any) => void = (old: Node_, next: Node_) => {
  let kept;
  if (next.attributes) {
    const editable = old.matches(":read-write");
    const focused = editable && old == document.activeElement;
    kept =
      // A frame of its own renews it.
      /^csrf_t/.test(old.name!) ||
      (old.dirty_?.done_
        ? // The server knows it. Typing goes on in a field with the focus, and a template that
          // writes no value never empties one; after a submit or change the server decides.
          old.dirty_.key_ && (focused || !next.value)
        : old.dirty_ ||
          focused ||
          // Typed before this script ran, or filled in by the browser.
          (editable && old.value != old.defaultValue) ||
          // Also a radio button that gave way to another one.
          old.checked != old.defaultChecked);
    for (const { name } of [...next.attributes, ...old.attributes]) {
      const wanted = next.getAttribute(name);
      // Also lists and files, and boxes with a model.
      if (/^ws-[fbpa]|\.[otl]|-.*x$|le$/.test(name + old.type)) more();
      if (
        // Browsers hide it from scripts.
        name != "nonce" &&
        !(kept && name in STATE) &&
        // Written when the server changed its mind; in between it is the visitor's.
        (name != "open" || !old.open_ != !next.open)
      )
        if (wanted == null) old.removeAttribute(name);
        else if (old.getAttribute(name) != wanted) old.setAttribute(name, wanted);
    }
    old.open_ = next.open;
  }
  if (!kept) {
    let current: any = old.firstChild;
    let found: any;
    for (const wanted of next.childNodes as NodeListOf<any>) {
      for (found = current; found && identity(found) != identity(wanted); )
        found = found.nextSibling;
      (found && found == current) ||
        (old as any)[found && (old as any).moveBefore ? "moveBefore" : "insertBefore"](
          (found ||= wanted.cloneNode(true)),
          current,
        );
      // A hydrated component inside this one owns its content.
      if (!found.calls_) morph(found, wanted);
      current = found.nextSibling;
    }
    while (old.lastChild != found) old.lastChild!.remove();
    for (const name in STATE)
      if ((old as any)[name] + "" != (next as any)[name] + "")
        (old as any)[name] = (next as any)[name];
  }
};
