/** What few pages need of live components: loaded by the runtime when it meets a reason. */

import { type Component, SELECTOR } from "./component.ts";
import type { Allow } from "./events.ts";
import type { Field } from "./morph.ts";
import type { connect as Connect } from "./socket.ts";

type Handle = (event: any, allow?: Allow | void) => void;

/** Put in by the build: the address of `post.ts`, named by its content. */
declare const POST: string;
/** The same of `upload.ts`. */
declare const UPLOAD: string;

const TYPES = "click input change submit keyup keydown focus blur".split(" ");
/** Modifiers that are no names of keys. */
const OURS = /^(prevent|stop|debounce|throttle|once|outside|lazy)\b/;
/** Names of keys that HTML can't write as the browser says them. */
const KEYS: Record<string, string> = { " ": "space", esc: "escape" };

let handle: Handle;
let connect: typeof Connect;
let begun = false;

/** Elements whose `.once` attributes were called. */
const once = new WeakMap<Element, Set<string>>();
/** When an attribute was called last, and the timer of what came after it. */
const throttled = new WeakMap<Element, Record<string, { at: number; timer?: number }>>();

const milliseconds = (text: string, otherwise: number) => {
  const [, number, unit] = /(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) || [];
  return number ? +number * (unit == "s" ? 1e3 : unit == "m" ? 6e4 : 1) : otherwise;
};

const throttles = (event: any, element: Element, name: string, wait: number) => {
  const all = throttled.get(element) || {};
  throttled.set(element, all);
  const last = (all[name] ||= { at: -Infinity });
  const left = last.at + wait - event.timeStamp;
  if (left <= 0) {
    last.at = event.timeStamp;
    return false;
  }
  // Of what is typed meanwhile, the last value counts; a click too many does not.
  if (event.type == "input") {
    clearTimeout(last.timer);
    last.timer = setTimeout(() => {
      last.at = performance.now();
      element.isConnected && handle(event, (other, its) => other == element && its == name);
    }, left);
  }
  return true;
};

/** Whether the attribute `name` of `element` is called for an event inside the element. */
const means = (event: any, element: Element, name: string, outside: boolean) => {
  if (!name.startsWith("ws-")) return false;
  const [word, ...modifiers] = name.slice(3).split(".");
  const has = (wanted: string) => modifiers.find((one) => one.split("-")[0] == wanted);
  const type = word == "model" ? (has("lazy") ? "change" : "input") : word;
  const keys = modifiers.filter((one) => !OURS.test(one));
  const key = event.key?.toLowerCase();
  if (
    type != event.type ||
    !has("outside") == outside ||
    (keys[0] && !keys.some((one) => (KEYS[one] || one) == (KEYS[key] || key)))
  )
    return false;
  // Also of a call that is not made.
  if (event.type == "submit" || has("prevent")) event.preventDefault();
  const throttle = has("throttle");
  if (throttle && throttles(event, element, name, milliseconds(throttle, 250))) return false;
  if (has("once")) {
    const names = once.get(element) || new Set();
    once.set(element, names);
    if (names.has(name)) return false;
    names.add(name);
  }
  return true;
};

const modelOf = (field: Element) =>
  [...field.attributes].find(({ name }) => /^ws-model/.test(name))?.value;

/** What a field holds that may hold several: a list of choices, boxes with values and one model,
 * files by their names. Nothing for all others. */
const valuesOf = (field: any): unknown => {
  if (field.files) {
    const names = Array.from<File, string>(field.files, (file) => file.name);
    return field.multiple ? names : names[0] || "";
  }
  const model = field.type == "checkbox" && field.hasAttribute("value") && modelOf(field);
  const chosen: Iterable<any> | false | undefined =
    field.type == "select-multiple"
      ? field.selectedOptions
      : model && field.closest(SELECTOR)?.querySelectorAll("[type=checkbox][value]:checked");
  return (
    chosen && [...chosen].filter((one) => !model || modelOf(one) == model).map((one) => one.value)
  );
};

/** Call `method` as if a click had meant it; returns what then tells of the call. */
const call = (component: Component, name: string, method: string): Pick<Field, "dirty_"> => {
  const target: Pick<Field, "dirty_"> = {
    attributes: [{ name, value: method }],
    closest: () => component,
    parentElement: null,
  } as object;
  handle({ type: "click", target }, () => true);
  // The runtime leaves its last call here.
  return target;
};

/** Send a form with fields for files; false for every other one. */
const upload = (form: any, submitter: HTMLElement | null) => {
  const component: Component | null = form.closest(SELECTOR);
  const code = [...form.attributes].find(({ name }) => /^ws-submit/.test(name))?.value;
  const found = component && code && [...form.elements].some((field: any) => field.files);
  if (found)
    import(UPLOAD).then(
      (part) =>
        part.default(form, submitter, component, code, connect, () =>
          call(component, "ws-submit", "$refresh").dirty_),
      String,
    );
  return found;
};

/** The events of the document, instead of the runtime's own listener. */
const listen = (event: any) => {
  const target: Field = event.target.closest ? event.target : document.documentElement;
  if (event.type == "submit" && upload(target, event.submitter)) return event.preventDefault();
  const value = valuesOf(target);
  // The runtime asks each field for one value.
  const asked: any = value
    ? {
        value,
        name: target.name,
        dirty_: target.dirty_,
        attributes: target.attributes,
        parentElement: target.parentElement,
        closest: (selector: string) => target.closest(selector),
      }
    : target;
  const seen = { target: asked, timeStamp: event.timeStamp, type: event.type, key: event.key };
  const given = Object.assign(Object.create(null), seen, {
    isComposing: event.isComposing,
    submitter: event.submitter,
    preventDefault: () => event.preventDefault(),
  });
  const { dirty_ } = target;
  if (event.type == "click")
    for (const element of with_(".outside"))
      if (!element.contains(target))
        handle({ ...given, target: element }, (other, name) =>
          other == element && means(given, element, name, true),
        );
  handle(given, (element, name) => means(given, element == asked ? target : element, name, false));
  if (value) target.dirty_ = asked.dirty_;
  // To come and go is not to write: what is in the field stays the visitor's.
  if (event.type == "focus" || event.type == "blur")
    dirty_ ? (target.dirty_ = dirty_) : delete target.dirty_;
};

/** The elements that have an attribute whose name holds `part`. */
const with_ = (part: string) => {
  const found = document.evaluate(
    `//*[@data-asok-state]//*[@*[starts-with(name(),"ws-") and contains(name(),"${part}")]]`,
    document,
    null,
    XPathResult.ORDERED_NODE_SNAPSHOT_TYPE,
  );
  return Array.from({ length: found.snapshotLength }, (_, at) => found.snapshotItem(at) as Element);
};

/** Elements that poll, and their timers. */
const polls = new WeakMap<Element, string>();

/** Call again and again while the element is there: `ws-poll="5s"` renders the component anew,
 * `ws-poll.5s="check"` calls a method. A hidden page and one without a network wait. */
const poll = (element: Element, name: string, every: string, method: string) => {
  let last: Pick<Field, "dirty_"> = {};
  const timer = setInterval(
    () => {
      if (!element.isConnected || polls.get(element) != every + method) {
        clearInterval(timer);
        return;
      }
      const component = element.closest<Component>(SELECTOR);
      if (
        component?.calls_ &&
        (!last.dirty_ || last.dirty_.done_) &&
        !document.hidden &&
        !document.documentElement.classList.contains("asok-offline")
      )
        last = call(component, name, method);
    },
    Math.max(250, milliseconds(every, 5e3)),
  );
};

let region: HTMLElement | undefined;
const announced = new WeakMap<Element, string>();

/** Have screen readers say what an element with `ws-announce` has come to hold. */
const announce = (element: Element, how: string) => {
  const text = (element.textContent || "").replace(/\s+/g, " ").trim();
  const before = announced.get(element);
  announced.set(element, text);
  if (before == null || before == text) return;
  if (!region?.isConnected) {
    // A sheet of its own needs no `style-src`, and no author has to write it.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      ".asok-announcer{position:fixed;inline-size:1px;block-size:1px;overflow:hidden;" +
        "clip-path:inset(50%);white-space:nowrap}",
    );
    document.adoptedStyleSheets.push(sheet);
    region = document.createElement("div");
    region.className = "asok-announcer";
    region.role = "status";
    document.body.append(region);
  }
  region.ariaLive = how == "assertive" ? how : "polite";
  region.textContent = text;
};

/** Look at what is in the page now. */
const look = () => {
  for (const element of document.querySelectorAll("[ws-announce]"))
    announce(element, element.getAttribute("ws-announce")!);
  for (const element of with_("poll"))
    for (const { name, value } of element.attributes) {
      const [, of, modifier] = /^ws-(poll)(?:\.(.+))?$/.exec(name) || [];
      const [every, method] = modifier ? [modifier, value] : [value, "$refresh"];
      if (of && polls.get(element) != every + method) {
        polls.set(element, every + method);
        poll(element, name, every, method);
      }
    }
};

const begin = (given: Handle, its: typeof Connect) => {
  begun = true;
  handle = given;
  connect = its;
  for (const type of TYPES) {
    removeEventListener(type, given);
    // Focus and blur don't bubble.
    addEventListener(type, listen, type == "focus" || type == "blur");
  }
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributeFilter: ["ws-poll"],
  });
  look();
};

/** What the server says beside HTML. */
const TOLD: Record<string, (frame: any, component: Component | undefined) => void> = {
  d: ([, , name, detail], component) =>
    component?.dispatchEvent(new CustomEvent(name, { detail, bubbles: true })),
  e: (frame, component) => {
    console.error(frame);
    component?.dispatchEvent(new CustomEvent("asok:error", { detail: frame }));
  },
  g: ([, , url]) => location.assign(url),
  // At most one reload until a call works: a page that asks for it again would never end.
  r: () => {
    if (!sessionStorage.asok) {
      sessionStorage.asok = 1;
      location.reload();
    }
  },
  t: ([, value]) => {
    for (const field of document.querySelectorAll<Field>("[name=csrf_token]")) field.value = value;
  },
};

/** Called by the runtime, with its own functions: for each reason that it meets. */
export default (
  given: Handle,
  its: typeof Connect,
  frame?: unknown[] | string,
  component?: Component,
) => {
  begun || begin(given, its);
  if (frame == "p") import(POST).then((part) => part.default(its), String);
  else if (frame) TOLD[frame[0] as string]!(frame, component);
};
