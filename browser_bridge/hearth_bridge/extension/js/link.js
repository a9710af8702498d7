// The connection to the bridge: found, opened, lost, found again; paired and forgotten. The world outside (sockets,
// storage, the native host, timers) is given to its constructor, so that all of it can be tried without a browser.

import {Problem, unreachable} from './problem.js';
import {BRIDGE_PORT} from './protocol.js';
import {Wire} from './wire.js';

export const State = Object.freeze({
  CONNECTING: 'connecting',
  OPEN: 'open',
  UNPAIRED: 'not paired',
  OFFLINE: 'offline',
});

const PROTOCOL = 'hearth.v1';
const TOKEN_ENDED = 4401;
const PORTS_TRIED = 10;
const PAUSES_MS = [0, 500, 1000, 2000, 4000, 8000, 15000];
const PONG_MS = 3000;
const AGAIN_MS = 200;
const STEADY_MS = 5000;
const REFUSED = 'refused';
const ENDED = 'This browser’s access was ended. What you kept is safe; pair the browser again to go on.';

export class Link {
  #world;
  #wire = null;
  #socket = null;
  #state = {name: State.CONNECTING, note: ''};
  #failures = 0;
  #timer = null;
  #busy = false;
  #wanted = false;
  #seq = null;
  #waiting = [];
  #listeners = {state: [], event: []};

  /**
   * world: {store: {read, write, clear}, native(message), open(port, protocols), later(ms, fn), never(timer), isSeen()}
   * `store` keeps {token, port}; `native` rejects when there is no native host.
   */
  constructor(world) {
    this.#world = world;
  }

  get state() {
    return this.#state;
  }

  onState(listener) {
    this.#listeners.state.push(listener);
  }

  /** Everything that happens in Hearth, from when the connection was first there; after a break nothing is missing. */
  onEvent(listener) {
    this.#listeners.event.push(listener);
  }

  /** Connect, and stay connected. */
  start() {
    this.#wanted = true;
    return this.#connect();
  }

  stop() {
    this.#wanted = false;
    this.#drop();
  }

  /** Somebody looks at us again, or pressed "Try again". */
  async retry() {
    if (!this.#wanted) return undefined;
    if (this.#state.name === State.OPEN) return this.#check();
    this.#failures = 0;
    return this.#connect();
  }

  /** Resolves once the connection is there. */
  whenOpen() {
    if (this.#state.name === State.OPEN) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  call(method, path, body = null, key = '') {
    return this.#wire ? this.#wire.call(method, path, body, key) : Promise.reject(unreachable());
  }

  follow(path, afterSeq, listeners) {
    if (this.#wire) return this.#wire.follow(path, afterSeq, listeners);
    listeners.end(unreachable());
    return () => {};
  }

  /** One click: the native host starts Hearth if need be and asks it for a token. Rejects with a Problem. */
  async pairByNative(origin, name) {
    const said = await this.#world.native({type: 'pair', origin, name});
    if (said.problem) throw new Problem(said.problem);
    await this.#keep(said.token, said.port);
  }

  /** With the code that the tray or the command line shows. */
  async pairByCode(code, name, port = BRIDGE_PORT) {
    const {token} = await this.#exchange(port, {pair: {code, name}});
    await this.#keep(token, port);
  }

  /** Another page of this extension paired the browser, or forgot it. */
  keptChanged(kept) {
    if (kept && this.#wanted && this.#state.name !== State.OPEN) return this.retry();
    if (!kept && this.#socket) {
      this.#drop();
      this.#become(State.UNPAIRED);
    }
    return undefined;
  }

  /** Gone from this browser; Hearth's own list keeps the entry until it is revoked there. */
  async forget() {
    await this.#world.store.clear();
    this.#drop();
    this.#become(State.UNPAIRED);
  }

  async #keep(token, port) {
    await this.#world.store.write({token, port: port ?? BRIDGE_PORT});
    this.#drop();
    this.#failures = 0;
    this.#wanted = true;
    await this.#connect();
  }

  async #connect() {
    if (this.#busy || this.#socket) return;
    this.#busy = true;
    this.#world.never(this.#timer);
    this.#timer = null;
    try {
      if (this.#state.name !== State.OFFLINE) this.#become(State.CONNECTING);
      const kept = await this.#world.store.read();
      if (!kept) return this.#become(State.UNPAIRED);
      await this.#reach(kept);
    } finally {
      this.#busy = false;
    }
  }

  async #reach(kept) {
    let refused = false;
    for await (const {port, guessed} of this.#ports(kept.port)) {
      const found = port === null ? REFUSED : await this.#knock(port, kept.token);
      if (found instanceof Wire) {
        if (port !== kept.port) await this.#world.store.write({...kept, port});
        return this.#opened(found);
      }
      refused ||= found === REFUSED && !guessed;
    }
    return refused ? this.#become(State.UNPAIRED, ENDED) : this.#missed();
  }

  /**
   * Where the bridge may be: where it was; where the native host says it is; where it goes when its port is taken.
   * Another person's Hearth may be behind any of them: that one refusing us is no reason to give up.
   */
  async * #ports(known) {
    yield {port: known};
    const said = await this.#world.native({type: 'port'}).catch(() => ({}));
    if ('port' in said) yield {port: said.port};
    for (let n = 0; n < PORTS_TRIED; n++) if (BRIDGE_PORT + n !== known) yield {port: BRIDGE_PORT + n, guessed: true};
  }

  /**
   * A connection on which our token was found good; REFUSED; or null when nobody of ours is there. The token never
   * stands in an address.
   */
  async #knock(port, token) {
    const socket = this.#world.open(port, [PROTOCOL, `hearth.token.${token}`]);
    const wire = new Wire((text) => socket.send(text));
    wire.socket = socket;
    const open = await new Promise((resolve) => {
      socket.onopen = () => resolve(true);
      socket.onclose = socket.onerror = () => resolve(false);
    });
    if (!open) return null;
    let code = 0;
    socket.onerror = null;
    socket.onmessage = (message) => wire.take(message.data);
    socket.onclose = (close) => {
      ({code} = close);
      wire.broke();
    };
    const good = await wire.call('GET', '/v1/status').then(() => true, () => false);
    if (good && !code) return wire;
    socket.onclose = null;
    socket.close();
    return code === TOKEN_ENDED ? REFUSED : null;
  }

  /** Said once the token is gone: whoever reads it may pair at once. */
  async #ended() {
    await this.#world.store.clear();
    this.#become(State.UNPAIRED, ENDED);
  }

  #opened(wire) {
    this.#wire = wire;
    this.#socket = wire.socket;
    this.#socket.onclose = (close) => this.#lost(wire.socket, close.code);
    this.#world.later(STEADY_MS, () => { if (this.#wire === wire) this.#failures = 0; });
    this.#listen(wire);
    this.#become(State.OPEN);
  }

  #listen(wire) {
    wire.follow('/v1/events', this.#seq, {
      event: (event) => {
        this.#seq = event.seq; // after a gap it may be less than before: a backup was restored
        for (const listener of this.#listeners.event) listener(event);
      },
      end: () => this.#world.later(AGAIN_MS, () => this.#wire === wire && this.#listen(wire)),
    });
  }

  #lost(socket, code) {
    if (this.#socket !== socket) return undefined;
    this.#drop();
    if (code === TOKEN_ENDED) return this.#ended();
    this.#failures += 1;
    if (this.#failures === 1) return this.#wanted ? this.#connect() : undefined;
    this.#become(State.CONNECTING);
    return this.#again();
  }

  #missed() {
    this.#become(State.OFFLINE);
    this.#failures += 1;
    this.#again();
  }

  /** Later, and later still each time; not while nobody looks. */
  #again() {
    if (!this.#wanted || !this.#world.isSeen()) return;
    const pause = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)];
    this.#timer = this.#world.later(pause, () => this.#connect());
  }

  /** After a sleep a socket may look open and be dead. */
  async #check() {
    const socket = this.#socket;
    const timer = this.#world.later(PONG_MS, () => this.#lost(socket, 1006));
    await this.#wire.ping();
    this.#world.never(timer);
  }

  #drop() {
    const [socket, wire] = [this.#socket, this.#wire];
    this.#socket = this.#wire = null;
    if (socket) socket.onclose = socket.onmessage = null;
    socket?.close();
    wire?.broke();
  }

  #exchange(port, message) {
    return new Promise((resolve, reject) => {
      const socket = this.#world.open(port, [PROTOCOL, 'hearth.pair']);
      socket.onopen = () => socket.send(JSON.stringify(message));
      socket.onmessage = ({data}) => {
        const said = JSON.parse(data);
        socket.onclose = null;
        socket.close();
        said.paired ? resolve(said.paired) : reject(new Problem(said.problem));
      };
      socket.onclose = () => reject(new Problem({
        code: 'no_pairing',
        detail: `Nobody waits for this browser on port ${port}.`,
        fix: 'Run “hearth pair browser”, or choose “Pair a browser” in the tray; type the port that is shown there.',
      }));
    });
  }

  #become(name, note = '') {
    this.#state = {name, note};
    for (const listener of this.#listeners.state) listener(this.#state);
    if (name === State.OPEN) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
