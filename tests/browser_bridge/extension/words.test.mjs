import assert from 'node:assert/strict';
import {test} from 'node:test';
import {addressOfSource, ago, count, made, originOf, readOf, shortAddress, titleOf, visible} from '../../../browser_bridge/hearth_bridge/extension/js/words.js';

test('where an answer was made is said as it is', () => {
  assert.equal(made({where: 'no model', model: ''}), 'no language model connected');
  assert.equal(made({where: 'this machine', model: 'qwen', test_model: false}, {cost: 0}), 'this machine · qwen');
  assert.equal(made({where: 'this machine', model: 'tiny', test_model: true}), 'this machine · tiny (test model)');
  assert.equal(made({where: 'cloud', model: 'big'}, {cost: 0.01234}), 'cloud · big · $0.0123');
  assert.equal(made({where: 'cloud', model: 'big'}, {cost: null}), 'cloud · big · price not known');
  assert.equal(made(null), '');
});

test('times are said as a person would', () => {
  assert.deepEqual([5, 185, 7300, 90_000].map((passed) => ago(1_000_000 - passed, 1_000_000)), ['just now', '3 min ago', '2 h ago', '1 d ago']);
});

test('what is read of a page is said with its size, and that it was cut', () => {
  assert.equal(readOf({text: 'x'.repeat(1234), cut: false}), '1,234 characters');
  assert.equal(readOf({text: 'x'.repeat(100_000), cut: true, whole: 5_000_000}), 'the first 100,000 characters of about 5,000,000');
  assert.equal(count(1, 'source'), '1 source');
});

test('a source leads to the web only', () => {
  assert.equal(addressOfSource({kind: 'memory', url: 'https://example.org/a', id: 'ep_1', title: 'T', location: ''}), 'https://example.org/a');
  assert.equal(addressOfSource({kind: 'file', url: '', id: '/home/me/a.md', title: 'a.md', location: '/home/me/a.md:3'}), '');
  assert.equal(addressOfSource({kind: 'page', url: 'javascript:alert(1)', id: 'x', title: 'x', location: 'data:text/html,x'}), '');
});

test('a source is named by its title, and by its address when it has none', () => {
  assert.equal(titleOf({kind: 'page', url: 'https://example.org/docs/a', title: 'Anemone', id: '', location: ''}), 'Anemone');
  assert.equal(titleOf({kind: 'page', url: 'https://example.org/docs/a', title: '', id: '', location: ''}), 'example.org/docs/a');
  assert.equal(shortAddress(`https://example.org/${'a/'.repeat(60)}`).length < 60, true);
  assert.match(originOf({kind: 'memory', url: '', id: 'x', title: '', location: '', speaker: '', trusted: false}), /not your words/);
});

test('what cannot be seen is made visible', () => {
  assert.equal(visible('rm \u202E-rf\u200B /\u0007'), 'rm ‹U+202E›-rf‹U+200B› /‹U+0007›');
  assert.equal(visible('line\nline\ttab ä 🙂'), 'line\nline\ttab ä 🙂');
});
