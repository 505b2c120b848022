/** The conversation over HTTP POST, for networks that let no WebSocket through. */

import type { connect as Connect } from "./socket.ts";

/** Milliseconds between two looks at what others changed: nothing is pushed this way. */
const EVERY = 1e4;

/**
 * Looks like a WebSocket to the runtime. Each request holds frames that wait, and what its
 * components have to be joined with: no worker remembers anything between two requests.
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
  #busy = false;
  #timer: number;

  constructor(url: URL) {
    this.#url = url;
    this.#timer = setInterval(() => {
      if (this.readyState == 1 && !this.#busy && !document.hidden) {
        this.#waiting.push(...Object.values(this.#joins).map((join) => [...join]));
        this.#send();
      }
    }, EVERY);
    queueMicrotask(() => {
      if (this.readyState) return;
      this.readyState = 1;
      this.onopen?.({ type: "open" });
    });
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
      clearInterval(this.#timer);
      this.onclose?.({ type: "close" });
    }
  }

  async #send() {
    if (this.#busy || !this.#waiting.length || this.readyState != 1) return;
    this.#busy = true;
    const sent = this.#waiting.splice(0, 32);
    const joined = new Set(sent.filter(([kind]) => kind == "j").map(([, n]) => n));
    const needed = new Set(sent.map(([, n]) => n).filter((n) => !joined.has(n)));
    const joins = [...needed].map((n) => this.#joins[n]).filter((join) => join);
    try {
      const answer = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify([...joins, ...sent]),
      });
      const frames = answer.headers.get("content-type") == "application/json" && (await answer.json());
      if (Array.isArray(frames))
        for (const frame of frames) {
          const [kind, n, version] = frame;
          const join = this.#joins[n];
          if (join && "hso".includes(kind)) join[4] = version;
          if (this.readyState == 1)
            this.onmessage?.({ type: "message", data: JSON.stringify(frame) });
        }
      if (!answer.ok) this.close();
    } catch {
      this.close();
    }
    this.#busy = false;
    this.#send();
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
