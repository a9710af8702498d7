import assert from 'node:assert/strict';
import {test} from 'node:test';
import {textOf} from '../../../browser_bridge/hearth_bridge/extension/js/answer.js';
import {Conversation} from '../../../browser_bridge/hearth_bridge/extension/js/conversation.js';
import {Problem} from '../../../browser_bridge/hearth_bridge/extension/js/problem.js';

// A Hearth in miniature: threads, runs with their journal, and streams that can break.
class Hearth {
  asked = [];
  threads = new Map();
  journal = [];
  streams = [];
  open = true;
  #waiting = [];

  call = async (method, path, body = null, key = '') => {
    this.asked.push(`${method} ${path}`);
    if (!this.open) throw new Problem({code: 'backend_unavailable', retryable: true});
    const [, , room, id, what] = path.split('/');
    if (method === 'POST' && room === 'threads' && !id) return this.#thread('thread_1');
    if (what === 'messages') return this.#message(id, body.text, key);
    if (room === 'tasks') return {id, status: this.runs?.[id] ?? 'running', failure: null};
    return this.threads.get(id);
  };

  follow = (path, after, {event, end}) => {
    const run = path.split('/')[3];
    const stream = {run, event, end, stopped: false};
    this.streams.push(stream);
    for (const one of this.journal.filter((one) => one.run_id === run)) event(one);
    return () => { stream.stopped = true; };
  };

  whenOpen = () => new Promise((resolve) => this.#waiting.push(resolve));

  back() {
    this.open = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #thread(id) {
    this.threads.set(id, {id, title: '', local_only: false, messages: []});
    return this.threads.get(id);
  }

  #message(id, text, key) {
    const messages = this.threads.get(id).messages;
    const run = `run_${key}`;
    if (!messages.some((one) => one.run_id === run)) messages.push({id: `m${messages.length}`, role: 'user', text, run_id: run});
    return {task_id: run, thread_id: id, status: 'queued'};
  }
}

function talk() {
  const hearth = new Hearth();
  const timers = [];
  let [n, seq] = [0, 0];
  const conversation = new Conversation(hearth, {id: () => String(++n), later: (ms, then) => timers.push(then), keep: () => {}}, () => {});
  const event = (type, data, run = 'run_1', thread = 'thread_1') => {
    const one = {seq: ++seq, type, run_id: run, thread_id: thread, data: data ?? {}};
    hearth.journal.push(one);
    return one;
  };
  return {hearth, timers, conversation, event};
}

test('an answer that is told live is read live, without a stream of its own', async () => {
  const {hearth, timers, conversation, event} = talk();
  await conversation.say('Hello');
  conversation.takeLive(event('task.queued', {goal: 'Hello'}));
  conversation.takeLive(event('text.delta', {part: 0, offset: 0, text: 'Hi'}));
  for (const then of timers) then();
  conversation.takeLive(event('task.finished', {answer: {text: 'Hi there'}}));
  assert.deepEqual(conversation.turns.map((turn) => turn.text ?? textOf(turn.answer)), ['Hello', 'Hi there']);
  assert.equal(hearth.streams.length, 0);
});

test('a run that is heard before the question was answered for is the same run', async () => {
  const {conversation, event, hearth} = talk();
  const call = hearth.call;
  hearth.call = async (...what) => {
    const said = await call(...what);
    if (what[1].endsWith('/messages')) conversation.takeLive(event('task.queued', {goal: 'Hello'}));
    return said;
  };
  await conversation.say('Hello');
  assert.deepEqual(conversation.turns.map((turn) => turn.role), ['user', 'assistant']);
});

test('a run that nobody tells of is read from its own stream', async () => {
  const {hearth, timers, conversation, event} = talk();
  await conversation.say('Hello');
  event('task.queued', {});
  event('text.delta', {part: 0, offset: 0, text: 'Hi'});
  for (const then of timers) then();
  assert.equal(hearth.streams.length, 1);
  assert.equal(textOf(conversation.lastAnswer), 'Hi');
});

test('a message under way when the connection broke is sent again, as the same message', async () => {
  const {hearth, conversation} = talk();
  await conversation.say('First');
  hearth.open = false;
  const saying = conversation.say('Second');
  await new Promise(setImmediate);
  hearth.back();
  await saying;
  assert.equal(hearth.threads.get('thread_1').messages.length, 2);
  assert.equal(conversation.turns.filter((turn) => turn.role === 'user').length, 2);
});

test('a message that cannot be sent is taken back, and why is said', async () => {
  const {hearth, conversation} = talk();
  hearth.call = async () => { throw new Problem({code: 'no_consent', detail: 'No.'}); };
  await assert.rejects(conversation.say('Hello'), {code: 'no_consent'});
  assert.deepEqual(conversation.turns, []);
});

test('a thread whose answer is being made is opened with all of its text', async () => {
  const {hearth, conversation, event} = talk();
  hearth.threads.set('thread_1', {id: 'thread_1', title: 'T', messages: [{id: 'm1', role: 'user', text: 'Hello', run_id: 'run_9'}]});
  event('task.queued', {}, 'run_9');
  event('text.delta', {part: 0, offset: 0, text: 'Half'}, 'run_9');
  await conversation.open('thread_1');
  assert.equal(textOf(conversation.lastAnswer), 'Half');
  const more = event('text.delta', {part: 0, offset: 4, text: ' done'}, 'run_9');
  conversation.takeLive(more);
  hearth.streams[0].event(more);
  assert.equal(textOf(conversation.lastAnswer), 'Half done');
});

test('a thread whose last answer failed says so', async () => {
  const {hearth, conversation} = talk();
  hearth.runs = {run_9: 'failed'};
  hearth.threads.set('thread_1', {id: 'thread_1', title: 'T', messages: [{id: 'm1', role: 'user', text: 'Hello', run_id: 'run_9'}]});
  await conversation.open('thread_1');
  assert.deepEqual([conversation.lastAnswer.status, hearth.streams.length], ['failed', 0]);
});

test('what another door says in the thread is shown, whole, and its answer too', async () => {
  const {hearth, conversation, event} = talk();
  hearth.threads.set('thread_1', {id: 'thread_1', title: 'T', messages: []});
  await conversation.open('thread_1');
  hearth.threads.get('thread_1').messages.push({id: 'm1', role: 'user', text: 'A long question from the tray', run_id: 'run_7'});
  conversation.takeLive(event('task.queued', {goal: 'A long'}, 'run_7'));
  await new Promise(setImmediate);
  assert.equal(conversation.turns[0].text, 'A long question from the tray');
  conversation.takeLive(event('text.delta', {part: 0, offset: 0, text: 'Yes'}, 'run_7'));
  assert.equal(textOf(conversation.lastAnswer), 'Yes');
});

test('a run that is met half way is read from its beginning', async () => {
  const {hearth, conversation, event} = talk();
  hearth.threads.set('thread_1', {id: 'thread_1', title: 'T', messages: []});
  await conversation.open('thread_1');
  event('task.queued', {}, 'run_7');
  event('text.delta', {part: 0, offset: 0, text: 'One '}, 'run_7');
  conversation.takeLive(event('text.delta', {part: 0, offset: 4, text: 'two'}, 'run_7'));
  assert.equal(textOf(conversation.lastAnswer), 'One two');
});

test('a hole in the text leads to the whole text', async () => {
  const {conversation, event} = talk();
  await conversation.say('Hello');
  conversation.takeLive(event('task.queued', {}));
  event('text.delta', {part: 0, offset: 0, text: 'One '});
  conversation.takeLive(event('text.delta', {part: 0, offset: 4, text: 'two'}));
  assert.equal(textOf(conversation.lastAnswer), 'One two');
});

test('after a break an answer with a stream of its own is asked for again, from its beginning', async () => {
  const {hearth, conversation, event} = talk();
  hearth.threads.set('thread_1', {id: 'thread_1', title: 'T', messages: [{id: 'm1', role: 'user', text: 'Hello', run_id: 'run_9'}]});
  event('text.delta', {part: 0, offset: 0, text: 'Half'}, 'run_9');
  await conversation.open('thread_1');
  hearth.streams[0].end(new Problem({code: 'backend_unavailable'}));
  event('text.delta', {part: 0, offset: 4, text: ' done'}, 'run_9');
  conversation.reconnected();
  assert.equal(hearth.streams.length, 2);
  assert.equal(textOf(conversation.lastAnswer), 'Half done');
});

test('other threads do not show here, and a new thread leaves the old one', async () => {
  const {hearth, conversation, event} = talk();
  hearth.threads.set('thread_1', {id: 'thread_1', title: 'T', messages: [{id: 'm1', role: 'user', text: 'Hello', run_id: 'run_9'}]});
  await conversation.open('thread_1');
  conversation.takeLive(event('task.queued', {}, 'run_5', 'thread_2'));
  assert.equal(conversation.answers.length, 1);
  conversation.begin();
  assert.deepEqual([conversation.turns, conversation.thread, hearth.streams[0].stopped], [[], null, true]);
});

test('of two threads opened one after the other, the last is shown', async () => {
  const {hearth, conversation} = talk();
  for (const id of ['thread_1', 'thread_2']) hearth.threads.set(id, {id, title: id, messages: []});
  const answers = [];
  hearth.call = (method, path) => new Promise((resolve) => answers.push(() => resolve(hearth.threads.get(path.split('/')[3]))));
  const opened = [conversation.open('thread_1'), conversation.open('thread_2')];
  answers[1]();
  answers[0]();
  await Promise.all(opened);
  assert.equal(conversation.thread.id, 'thread_2');
});

test('what is said while a thread is being opened is said in that thread', async () => {
  const {hearth, conversation} = talk();
  hearth.threads.set('thread_9', {id: 'thread_9', title: 'T', messages: []});
  const opening = conversation.open('thread_9');
  await conversation.say('Hello');
  await opening;
  assert.deepEqual(hearth.threads.get('thread_9').messages.map((one) => one.text), ['Hello']);
});

for (const [when, path] of [['its thread is made', '/v1/threads'], ['it is taken', '/v1/threads/thread_1/messages']]) {
  test(`a question that the person leaves while ${when} is asked, and not shown on the new page`, async () => {
    const {hearth, timers, conversation} = talk();
    const call = hearth.call;
    hearth.call = async (...what) => {
      if (what[1] === path) conversation.begin();
      return call(...what);
    };
    await conversation.say('Hello');
    for (const then of timers) then();
    assert.deepEqual([conversation.thread, conversation.turns], [null, []]);
    assert.deepEqual(hearth.threads.get('thread_1').messages.map((message) => message.text), ['Hello']);
  });
}

test('a question that fails after the person left it takes nothing from the page that is shown', async () => {
  const {hearth, conversation} = talk();
  await conversation.say('First');
  const call = hearth.call;
  hearth.call = async (...what) => {
    if (!what[1].endsWith('/messages')) return call(...what);
    await conversation.open('thread_1');
    throw new Problem({code: 'overloaded'});
  };
  await assert.rejects(conversation.say('Second'), {code: 'overloaded'});
  assert.deepEqual(conversation.turns.filter((turn) => turn.role === 'user').map((turn) => turn.text), ['First']);
});
