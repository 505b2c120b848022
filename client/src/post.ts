/** The conversation over HTTP POST, for networks that let no WebSocket through. */

import type { connect as Connect } from "./socket.ts";

/** Milliseconds between two questions what others changed, where that can't be told at once. */
const EVERY = 1e4;
/** Frames of one request beside its joins: the server takes no more calls at once. */
const CALLS = 20;
/** Milliseconds that the first word of an answer that stays open may take. */
const PATIENCE = 5e3;

/**
 * Looks like a WebSocket to the runtime. Each request holds frames that wait, and what its
 * components have to be joined with: no worker remembers anything between two requests.
 *
 * What others change is told by one answer that stays open while the page is looked at. Where
 * something on the way holds it back until its end, the page asks again and again.
 */
class PostSocket {
  readyState = 0;
  onopen?: (event: object) => void;
  onmessage?: (event: object) => void;
  onclose?: (event: object) => void;
  #url: URL;
  #waiting: any[][] = [];
  /** The joins of what lives here, by number; their versions are those that are shown. */
  #joins: Record<string, any[]> = {};
  /** Those that may listen to what a call emits: they were shown anew without a call. */
  #hearing = new Set<number>();
  #busy = false;
  #timer?: number;
  #soon = 0;
  #heldBack = false;
  #end = new AbortController();
  #open = this.#end;

  constructor(url: URL) {
    this.#url = url;
    document.addEventListener("visibilitychange", () => this.#listen(), {
      signal: this.#end.signal,
    });
    // Open is what somebody answers: while nobody does, the page is offline, and says so.
    this.#ask([], "application/json", this.#end.signal).then(
      ({ ok }) => {
        if (this.readyState) return;
        if (!ok) return this.close();
        this.readyState = 1;
        this.onopen?.({ type: "open" });
      },
      () => this.close(),
    );
  }

  send(text: string) {
    const frame = JSON.parse(text);
    if (frame[0] == "l") delete this.#joins[frame[1]];
    else {
      if (frame[0] == "j") this.#joins[frame[1]] = frame;
      this.#waiting.push(frame);
      // One request for all that is sent in one turn.
      setTimeout(() => this.#send());
    }
  }

  close() {
    if (this.readyState < 2) {
      this.readyState = 3;
      this.#end.abort();
      this.#open.abort();
      clearTimeout(this.#timer);
      this.onclose?.({ type: "close" });
    }
  }

  #ask(frames: any[][], accept: string, signal?: AbortSignal) {
    return fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json", accept },
      body: JSON.stringify(frames),
      signal: signal!,
    });
  }

  #take(frame: any[]) {
    const [kind, n, version] = frame;
    const join = this.#joins[n];
    if (join && "hso".includes(kind)) join[4] = version;
    if (kind == "h" && !frame[4]) this.#hearing.add(n);
    if (this.readyState == 1) this.onmessage?.({ type: "message", data: JSON.stringify(frame) });
  }

  async #send() {
    if (this.#busy || !this.#waiting.length || this.readyState != 1) return;
    this.#busy = true;
    const sent = this.#waiting.splice(0, CALLS);
    const joined = new Set(sent.filter(([kind]) => kind == "j").map(([, n]) => n));
    const needed = new Set([...sent.map(([, n]) => n), ...this.#hearing]);
    const joins = [...needed].map((n) => this.#joins[n]!).filter((join) => join && !joined.has(join[1]));
    try {
      const answer = await this.#ask([...joins, ...sent], "application/json");
      const frames = answer.headers.get("content-type") == "application/json" && (await answer.json());
      if (Array.isArray(frames)) for (const frame of frames) this.#take(frame);
      if (!answer.ok) this.close();
    } catch {
      this.close();
    }
    this.#busy = false;
    // What was called may listen to something else from now on.
    if (!this.#heldBack)
      if (joined.size) this.#listen();
      else
        this.#soon ||= setTimeout(() => {
          this.#soon = 0;
          this.#listen();
        }, 2e3);
    this.#send();
  }

  async #listen() {
    this.#open.abort();
    clearTimeout(this.#timer);
    const open = (this.#open = new AbortController());
    const joins = Object.values(this.#joins).map((join) => [...join]);
    let wait = EVERY;
    if (this.readyState == 1 && joins[0] && !document.hidden)
      if (this.#heldBack) {
        this.#waiting.push(...joins);
        this.#send();
      } else {
        const late = setTimeout(() => {
          this.#heldBack = true;
          open.abort();
        }, PATIENCE);
        try {
          const { body, status } = await this.#ask(joins, "text/event-stream", open.signal);
          const reader = status == 200 && body!.pipeThrough(new TextDecoderStream()).getReader();
          let text = "";
          for (let part; reader && !(part = await reader.read()).done; ) {
            clearTimeout(late);
            // It ends by itself; many pages don't come back in one instant.
            wait = 1e3 * Math.random();
            const events = (text + part.value).split("\n\n");
            text = events.pop()!;
            for (const event of events) this.#take(JSON.parse(event.slice(6)));
          }
        } catch {
          // Before its first word, and not given up here: there is nobody.
          if (wait == EVERY && !open.signal.aborted) this.close();
        }
        clearTimeout(late);
      }
    if (open == this.#open && this.readyState == 1)
      this.#timer = setTimeout(() => this.#listen(), wait);
  }
}

/** Ask once more for a socket, and take to POST where there is none though the server is well. */
export default (connect: typeof Connect) => {
  const url = new URL("live", import.meta.url);
  const probe = new WebSocket(url);
  probe.onopen = () => probe.close();
  probe.onerror = async () => {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "[]",
    }).catch(() => null);
    if (answer?.ok) connect.socket_ = PostSocket as any;
  };
};
