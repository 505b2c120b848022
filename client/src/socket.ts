/** The one socket of the page: opened by the first hydration, reopened while the page lives. */

import type { ClientFrame } from "./wire.ts";

export let socket: WebSocket | undefined;
let failures = 0;

/** Send a frame; false where the socket is not open (then its opening will see to it). */
export const send = (frame: ClientFrame): boolean =>
  socket!.readyState == 1 && !(socket!.send(JSON.stringify(frame)) as unknown);

/** `receive_` gets every frame, and `[]` whenever the socket opened. */
export const connect: {
  (): void;
  receive_?(frame: unknown[] | string): void;
  socket_?: typeof WebSocket;
} = () => {
  // Its end is no loss: `close` returns nothing, and nothing is called then.
  if (socket) socket.onclose = socket.close() as any;
  // The socket is the neighbour of this file, also where the application is mounted.
  socket = new (connect.socket_ || WebSocket)(new URL("live", import.meta.url));
  socket.onopen =
    socket.onmessage =
    socket.onclose =
      ({ type, data }: any) => {
        if (document.documentElement.classList.toggle("asok-offline", type == "close")) {
          // Where sockets don't get through, the same frames go by POST.
          failures > 1 && connect.receive_!("p");
          // 128 ms, doubled up to 955 ms, and up to once more: a thousand pages that lost one
          // server don't come back in one instant, and none later than 2 s after the server. A
          // hidden page waits until it is looked at.
          setTimeout(onPage, 2 ** Math.min(9.9, 7 + failures++) * (1 + Math.random()), {});
        } else {
          // Only a frame proves that the server is well: one that accepts and hangs up is not.
          if (data) failures = 0;
          connect.receive_!(JSON.parse(data || "[]"));
        }
      };
};

/** The page went, came back, found a network, or waited long enough. */
export const onPage = ({ type }: { type?: string }) => {
  // An open socket would keep the page out of the back-forward cache.
  if (type == "pagehide") socket?.close();
  // After the network came back, an open socket may be dead without knowing.
  else if (socket && !document.hidden && (type == "online" || socket.readyState > 1)) connect();
};
