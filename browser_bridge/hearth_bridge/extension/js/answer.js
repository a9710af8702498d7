// One answer as its events build it up. Pure: the same events give the same answer, whatever came twice.
//
// `seq` orders events, `offset` counts code points of a part: text that comes again is taken once, and a hole is seen.

import {EventType} from './protocol.js';

/** `via` says where its events come from: the stream that tells everything ('live'), or one of its own ('own'). */
export function newAnswer(runId, via = 'live') {
  return {
    runId, via, seq: 0, status: 'queued', doing: 'Thinking…', parts: [], begunAgain: false, hole: false,
    sources: [], madeBy: null, tokens: null, notes: [], complete: true, failure: null, final: null,
    messageId: null, feedback: null,
  };
}

/** A turn of a stored thread. */
export function storedAnswer(message) {
  return {
    ...newAnswer(message.run_id, 'stored'), status: 'finished', final: message.text, sources: message.sources ?? [],
    madeBy: message.made_by, complete: message.complete ?? true, messageId: message.id, feedback: message.feedback,
  };
}

export const isOver = (answer) => ['finished', 'failed', 'cancelled'].includes(answer.status);

export const textOf = (answer) => answer.final ?? answer.parts.map((part) => part?.text ?? '').join('');

/** Take one event; whether anything changed. */
export function take(answer, event) {
  if (event.run_id !== answer.runId || event.seq <= answer.seq) return false;
  answer.seq = event.seq;
  const rule = RULES[event.type];
  if (rule === undefined) return false;
  rule(answer, event.data ?? {});
  return true;
}

const RULES = {
  [EventType.TASK_QUEUED]: (answer) => { answer.status = 'queued'; },
  [EventType.TASK_STARTED]: (answer) => doing(answer, 'Thinking…'),
  [EventType.MEMORY_RECALLED]: (answer, data) => {
    answer.sources = data.sources ?? [];
    doing(answer, 'Reading what is remembered…');
  },
  [EventType.MODEL_LOADING]: (answer, data) => doing(answer, `Loading ${data.model ?? 'the model'}…`),
  [EventType.TOOL_CALLED]: (answer, data) => doing(answer, `Using ${data.name ?? 'a tool'}…`),
  [EventType.TOOL_FINISHED]: (answer) => doing(answer, 'Thinking…'),
  [EventType.REASONING_DELTA]: (answer) => doing(answer, 'Thinking it over…'),
  [EventType.MODEL_FALLBACK]: (answer, data) => note(answer, fallback(data)),
  [EventType.TEXT_DELTA]: write,
  [EventType.TEXT_RESET]: (answer, data) => {
    answer.begunAgain ||= Boolean(answer.parts[data.part]?.text);
    delete answer.parts[data.part];
  },
  [EventType.TASK_FINISHED]: (answer, data) => finish(answer, data.answer ?? {}),
  [EventType.TASK_FAILED]: (answer, data) => {
    answer.status = 'failed';
    answer.failure = data;
  },
  [EventType.TASK_CANCELLED]: (answer) => {
    answer.status = 'cancelled';
    answer.complete = false;
  },
};

function doing(answer, what) {
  answer.status = 'running';
  answer.doing = what;
}

function write(answer, {part = 0, offset = 0, text = ''}) {
  answer.status = 'running';
  answer.doing = 'Writing…';
  answer.begunAgain = false;
  const there = answer.parts[part] ?? {text: '', length: 0};
  if (offset > there.length) {
    answer.hole = true;
    return;
  }
  const fresh = [...text].slice(there.length - offset);
  answer.parts[part] = {text: there.text + fresh.join(''), length: there.length + fresh.length};
}

function finish(answer, said) {
  answer.status = 'finished';
  answer.final = said.text ?? textOf(answer);
  answer.sources = said.sources ?? answer.sources;
  answer.madeBy = said.made_by ?? null;
  answer.tokens = said.tokens ?? null;
  answer.complete = said.complete ?? true;
  for (const text of said.notes ?? []) note(answer, text);
}

function note(answer, text) {
  if (text && !answer.notes.includes(text)) answer.notes.push(text);
}

function fallback(data) {
  if (data.from) return `${data.from} did not answer: ${data.reason ?? ''} ${data.to} goes on.`;
  return data.reason ?? 'It goes on with fewer layers on the GPU.';
}
