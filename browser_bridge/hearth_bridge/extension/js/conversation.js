// The thread that the panel shows: its turns, the answer that is being made, and how it goes on after any break.
//
// A run whose beginning was seen on the stream that tells everything is read from there. One that was met half way (the
// panel was closed, another door asked) has its own stream read from its first event, so its text is whole.

import {isOver, newAnswer, storedAnswer, take} from './answer.js';
import {asProblem} from './problem.js';
import {EventType, RunStatus} from './protocol.js';

const SEEN_MS = 1000;
const TRIES = 3;
const FINAL = [RunStatus.FINISHED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.DEAD];

export class Conversation {
  #link;
  #world;
  #changed;
  #following = new Map();
  #opening = 0;
  #opened = Promise.resolve();

  /** world: {id(): a random key, later(ms, fn), keep(state): remember where we are}. `changed(what)` after each change. */
  constructor(link, world, changed) {
    this.#link = link;
    this.#world = world;
    this.#changed = changed;
    this.thread = null;
    this.turns = [];
  }

  get answers() {
    return this.turns.filter((turn) => turn.answer).map((turn) => turn.answer);
  }

  /** The answer that is being made, if one is. */
  get running() {
    return this.answers.findLast((answer) => !isOver(answer)) ?? null;
  }

  get lastAnswer() {
    return this.answers.at(-1) ?? null;
  }

  /** An empty page; the thread is made with its first message. */
  begin() {
    this.#opening += 1;
    this.#leave();
    this.thread = null;
    this.turns = [];
    this.#keep();
    this.#changed('thread');
  }

  /** Show a thread of any door, and go on reading what is being answered in it. Rejects with a Problem. */
  open(threadId) {
    const opened = this.#open(threadId);
    this.#opened = opened.catch(() => {});
    return opened;
  }

  async #open(threadId) {
    const mine = ++this.#opening;
    const detail = await this.#link.call('GET', `/v1/threads/${threadId}`);
    if (mine !== this.#opening) return;
    this.#leave();
    this.thread = {id: detail.id, title: detail.title, localOnly: detail.local_only};
    this.turns = detail.messages.map(asTurn);
    this.#keep();
    this.#changed('thread');
    await this.#resumeLast(detail.messages);
  }

  /** Say something; `about` is what the person sees of the context that goes with it. Rejects with a Problem. */
  async say(text, {context = null, about = '', localOnly = false} = {}) {
    await this.#opened; // what is said while a thread is being opened is said there
    const here = this.#opening; // and stays there when the person goes on to another before it was taken
    const turn = {role: 'user', text, about, key: this.#world.id(), state: 'sending'};
    this.turns.push(turn);
    this.#changed('turns');
    try {
      const thread = this.thread ?? await this.#makeThread(here);
      const message = {text, ...(context ? {context} : {}), ...(localOnly ? {local_only: true} : {})};
      const accepted = await this.#post(thread.id, message, turn.key);
      turn.state = 'sent';
      turn.runId = accepted.task_id;
      if (here === this.#opening) this.#expect(accepted.task_id);
    } catch (error) {
      if (here === this.#opening) {
        this.turns.splice(this.turns.indexOf(turn), 1);
        this.#changed('turns');
      }
      throw asProblem(error);
    }
  }

  /** A message that was under way when the connection broke is sent again; its key makes it the same message. */
  async #post(threadId, message, key) {
    for (let tries = TRIES; ; tries--) {
      try {
        return await this.#link.call('POST', `/v1/threads/${threadId}/messages`, message, key);
      } catch (error) {
        if (error.code !== 'backend_unavailable' || tries === 0) throw error;
        await this.#link.whenOpen();
      }
    }
  }

  async stop() {
    const answer = this.running;
    if (answer) await this.#link.call('DELETE', `/v1/tasks/${answer.runId}`);
  }

  async rate(answer, rating) {
    if (!answer.messageId) await this.#nameMessage(answer);
    const path = `/v1/threads/${this.thread.id}/feedback`;
    const message = await this.#link.call('POST', path, {message_id: answer.messageId, rating});
    answer.feedback = message.feedback;
    this.#changed('answer', answer);
  }

  /** An event of the stream that tells everything. */
  takeLive(event) {
    if (event.type === 'gap') return this.#reopen();
    if (!this.thread || event.thread_id !== this.thread.id || !event.run_id) return undefined;
    const answer = this.#answerOf(event.run_id);
    if (answer) return answer.via === 'live' ? this.#take(answer, event) : undefined;
    if (event.type === EventType.TASK_QUEUED) return this.#meet(event);
    return event.type.startsWith('memory.') ? undefined : this.#readOwn(this.#add(event.run_id, 'own'));
  }

  /** The connection is there again. Answers that the live stream carries go on by themselves; others are asked for. */
  reconnected() {
    for (const answer of this.answers.filter((one) => !isOver(one))) {
      const unseen = answer.via === 'live' && answer.seq === 0;
      if (unseen || (answer.via === 'own' && !this.#following.has(answer.runId))) this.#readOwn(answer);
    }
  }

  async #makeThread(here) {
    const made = await this.#link.call('POST', '/v1/threads', {});
    const thread = {id: made.id, title: made.title, localOnly: made.local_only};
    if (here === this.#opening) {
      this.thread = thread;
      this.#keep();
      this.#changed('thread-made');
    }
    return thread;
  }

  /** Our message was taken. Its run shows up on the live stream in a moment; if not, its own stream is read. */
  #expect(runId) {
    if (this.#answerOf(runId)) return;
    const answer = this.#add(runId, 'live');
    this.#world.later(SEEN_MS, () => {
      if (answer.seq === 0 && this.turns.some((turn) => turn.answer === answer)) this.#readOwn(answer);
    });
  }

  /** Another door said something in this thread, or our own message is seen here before it was answered for. */
  #meet(event) {
    const ours = this.turns.some((turn) => turn.state === 'sending' || turn.runId === event.run_id);
    if (!ours) {
      const turn = {role: 'user', text: event.data.goal ?? '', about: '', key: event.run_id, runId: event.run_id};
      this.turns.push(turn);
      this.#completeText(turn);
    }
    this.#take(this.#add(event.run_id, 'live'), event);
  }

  /** An event names the beginning of what was said; the thread has the whole of it. */
  async #completeText(turn) {
    const detail = await this.#link.call('GET', `/v1/threads/${this.thread.id}`).catch(() => null);
    const message = detail?.messages.find((one) => one.run_id === turn.runId && one.role === 'user');
    if (!message || message.text === turn.text) return;
    turn.text = message.text;
    this.#changed('turn', turn);
  }

  async #resumeLast(messages) {
    const last = messages.at(-1);
    if (last?.role !== 'user' || !last.run_id || this.#answerOf(last.run_id)) return;
    const task = await this.#link.call('GET', `/v1/tasks/${last.run_id}`).catch(() => null);
    if (!task || this.#answerOf(last.run_id)) return;
    const answer = this.#add(last.run_id, 'own');
    if (!FINAL.includes(task.status)) return this.#readOwn(answer);
    answer.status = task.status === RunStatus.CANCELLED ? 'cancelled' : 'failed';
    answer.failure = task.failure;
    this.#changed('answer', answer);
  }

  /** Read a run from its first event to its last. */
  #readOwn(answer) {
    if (this.#following.has(answer.runId)) return;
    Object.assign(answer, newAnswer(answer.runId, 'own'));
    const stop = this.#link.follow(`/v1/tasks/${answer.runId}/events`, null, {
      event: (event) => this.#take(answer, event),
      end: () => {
        this.#following.delete(answer.runId);
        this.#changed('answer', answer);
      },
    });
    if (!isOver(answer)) this.#following.set(answer.runId, stop);
    this.#changed('answer', answer);
  }

  #take(answer, event) {
    if (!take(answer, event)) return;
    if (answer.hole) {
      this.#stopFollowing(answer.runId);
      return this.#readOwn(answer);
    }
    if (isOver(answer) && !this.thread.title) this.#nameMessage(answer);
    this.#changed('answer', answer);
  }

  /** The stored turn's id, by which it can be rated; and the thread's title, made from its first message. */
  async #nameMessage(answer) {
    const detail = await this.#link.call('GET', `/v1/threads/${this.thread.id}`).catch(() => null);
    if (!detail || detail.id !== this.thread?.id) return;
    const message = detail.messages.find((one) => one.run_id === answer.runId && one.role === 'assistant');
    answer.messageId = message?.id ?? null;
    this.thread.title = detail.title;
    this.#changed('thread-made');
    this.#changed('answer', answer);
  }

  #add(runId, via) {
    const answer = newAnswer(runId, via);
    this.turns.push({role: 'assistant', answer, key: `answer:${runId}`});
    this.#changed('turns');
    return answer;
  }

  #answerOf(runId) {
    return this.answers.find((answer) => answer.runId === runId);
  }

  #reopen() {
    if (this.thread) this.open(this.thread.id).catch(() => {});
  }

  #leave() {
    for (const runId of [...this.#following.keys()]) this.#stopFollowing(runId);
  }

  #stopFollowing(runId) {
    this.#following.get(runId)?.();
    this.#following.delete(runId);
  }

  #keep() {
    this.#world.keep({threadId: this.thread?.id ?? null});
  }
}

function asTurn(message) {
  if (message.role === 'assistant') return {role: 'assistant', answer: storedAnswer(message), key: message.id};
  return {role: 'user', text: message.text, about: '', key: message.id, runId: message.run_id, state: 'sent'};
}
