import assert from 'node:assert/strict';
import {test} from 'node:test';
import {isOver, newAnswer, storedAnswer, take, textOf} from '../../../browser_bridge/hearth_bridge/extension/js/answer.js';

let seq = 0;
const event = (type, data = {}, at = ++seq) => ({seq: at, type, run_id: 'run_1', thread_id: 'thread_1', data});
const delta = (text, offset, part = 0) => event('text.delta', {part, offset, text});

function grown(...events) {
  const answer = newAnswer('run_1');
  for (const one of events) take(answer, one);
  return answer;
}

test('text grows by its pieces', () => {
  assert.equal(textOf(grown(delta('Your ', 0), delta('sister', 5))), 'Your sister');
});

test('an event that comes twice counts once', () => {
  const one = delta('Your ', 0);
  assert.equal(textOf(grown(one, one, delta('sister', 5), one)), 'Your sister');
});

test('text that comes again in another event is taken once', () => {
  assert.equal(textOf(grown(delta('Your ', 0), delta('our sister', 1))), 'Your sister');
});

test('offsets count code points, so emoji are neither lost nor doubled', () => {
  assert.equal(textOf(grown(delta('👩‍🚀 go', 0), delta('o 🚀', 5), delta('!', 8))), '👩‍🚀 go 🚀!');
  assert.equal(textOf(grown(delta('🙂🙂', 0), delta('x', 2))), '🙂🙂x');
});

test('a hole is seen, and nothing is shown after it', () => {
  const answer = grown(delta('Your ', 0), delta('sister', 9));
  assert.equal(answer.hole, true);
  assert.equal(textOf(answer), 'Your ');
});

test('what began again replaces what was shown', () => {
  const answer = grown(delta('Half an ans', 0), event('text.reset', {part: 0, attempt: 2}));
  assert.equal(textOf(answer), '');
  assert.equal(answer.begunAgain, true);
  take(answer, delta('Whole', 0));
  assert.equal(textOf(answer), 'Whole');
  assert.equal(answer.begunAgain, false);
});

test('an old event that comes late changes nothing', () => {
  const reset = event('text.reset', {part: 0});
  assert.equal(textOf(grown(reset, delta('Whole', 0), reset)), 'Whole');
});

test('parts stand in their order, whichever comes first', () => {
  assert.equal(textOf(grown(delta('two', 0, 1), delta('one ', 0, 0))), 'one two');
});

test('the end brings the whole answer, its sources and where it was made', () => {
  const answer = grown(delta('Your', 0), event('task.finished', {answer: {
    text: 'Your sister', sources: [{n: 1}], made_by: {where: 'this machine', model: 'm'}, tokens: {}, complete: true, notes: ['slow', 'slow'],
  }}));
  assert.equal(textOf(answer), 'Your sister');
  assert.deepEqual([isOver(answer), answer.sources.length, answer.madeBy.where, answer.notes], [true, 1, 'this machine', ['slow']]);
});

test('a failure and a stop are ends too, and keep what came', () => {
  const failed = grown(delta('Your', 0), event('task.failed', {code: 'no_model', detail: 'x', fix: 'y'}));
  assert.deepEqual([isOver(failed), failed.failure.code, textOf(failed)], [true, 'no_model', 'Your']);
  const stopped = grown(delta('Your', 0), event('task.cancelled'));
  assert.deepEqual([isOver(stopped), stopped.complete, textOf(stopped)], [true, false, 'Your']);
});

test('events of other runs and of kinds not known change nothing', () => {
  const answer = newAnswer('run_1');
  assert.equal(take(answer, {...delta('x', 0), run_id: 'run_2'}), false);
  assert.equal(take(answer, event('weather.changed', {})), false);
  assert.equal(textOf(answer), '');
});

test('a stored turn is a finished answer', () => {
  const answer = storedAnswer({id: 'm1', run_id: 'run_1', text: 'Hi', sources: [], made_by: null, complete: false});
  assert.deepEqual([isOver(answer), textOf(answer), answer.complete], [true, 'Hi', false]);
});

test('however events are cut, repeated and resumed, the text is the same', () => {
  const whole = 'The staging server 🌺 is called Anemone; it was moved in May. '.repeat(20);
  const points = [...whole];
  for (let round = 0; round < 200; round++) {
    const events = [];
    for (let from = 0; from < points.length;) {
      const length = 1 + Math.floor(Math.random() * 30);
      events.push(delta(points.slice(from, from + length).join(''), from));
      from += length;
    }
    const seen = events.slice(0, Math.floor(Math.random() * events.length));
    const back = Math.max(0, seen.length - Math.floor(Math.random() * 5));
    assert.equal(textOf(grown(...seen, ...events.slice(back))), whole);
  }
});
