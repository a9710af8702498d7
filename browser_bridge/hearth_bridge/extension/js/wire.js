// The extension's half of `hearth.v1`: numbers what is asked, and gives each answer to whom it belongs. No socket here.

import {Problem, unreachable} from './problem.js';

export class Wire {
  #send;
  #next = 1;
  #calls = new Map();
  #streams = new Map();
  #pings = new Map();

  /** `send` takes a text and hands it to the socket. */
  constructor(send) {
    this.#send = send;
  }

  /** The body of the answer. Rejects with a Problem. `key` makes a request that may be sent twice be done once. */
  call(method, path, body = null, key = '') {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, {resolve, reject});
      this.#write({id, method, path, ...(body === null ? {} : {body}), ...(key ? {key} : {})});
    });
  }

  /** Listen to a stream: `event` for each, then once `end`, with a Problem when it was none. Returns how to stop. */
  follow(path, afterSeq, {event, end}) {
    const id = this.#next++;
    this.#streams.set(id, {event, end});
    this.#write({id, follow: path, ...(afterSeq === null ? {} : {after_seq: afterSeq})});
    return () => {
      if (this.#streams.delete(id)) this.#write({id, stop: true});
    };
  }

  /** Resolves when the other side answers. */
  ping() {
    const number = this.#next++;
    return new Promise((resolve) => {
      this.#pings.set(number, resolve);
      this.#write({ping: number});
    });
  }

  /** A frame came. What is not understood is passed over: a newer bridge may say more. */
  take(text) {
    const frame = JSON.parse(text);
    if ('pong' in frame) return this.#ponged(frame.pong);
    const stream = this.#streams.get(frame.id);
    if (stream) return this.#streamed(stream, frame);
    const call = this.#calls.get(frame.id);
    if (!call) return undefined;
    this.#calls.delete(frame.id);
    if (frame.problem) return call.reject(new Problem(frame.problem));
    return frame.status < 400 ? call.resolve(frame.body) : call.reject(new Problem(frame.body ?? {}));
  }

  /** The connection is gone: nothing that was asked will be answered. */
  broke() {
    const [calls, streams] = [[...this.#calls.values()], [...this.#streams.values()]];
    this.#calls.clear();
    this.#streams.clear();
    this.#pings.clear();
    for (const call of calls) call.reject(unreachable());
    for (const stream of streams) stream.end(unreachable());
  }

  #streamed(stream, frame) {
    if (frame.events) return frame.events.forEach((event) => stream.event(event));
    this.#streams.delete(frame.id);
    return stream.end(frame.problem ? new Problem(frame.problem) : null);
  }

  #ponged(number) {
    this.#pings.get(number)?.();
    this.#pings.delete(number);
  }

  #write(frame) {
    this.#send(JSON.stringify(frame));
  }
}
