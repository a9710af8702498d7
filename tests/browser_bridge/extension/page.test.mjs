import assert from 'node:assert/strict';
import {test} from 'node:test';
import {addressOf, contextOf, episodesOf, passagesOf, quotedAddress, siteOf} from '../../../browser_bridge/hearth_bridge/extension/js/page.js';

test('a site is the host of a web page, and nothing else has one', () => {
  assert.equal(siteOf('https://Docs.Example.org:8443/a?b#c'), 'docs.example.org');
  for (const address of ['', 'about:blank', 'chrome://settings', 'file:///a', 'javascript:x', 'data:text/html,x', null, undefined]) {
    assert.equal(siteOf(address), '');
  }
});

test('an address is kept without the place on the page and without a password', () => {
  assert.equal(addressOf('https://me:secret@example.org/a?b=1#c'), 'https://example.org/a?b=1');
  assert.ok(addressOf(`https://example.org/a?${'x'.repeat(5000)}`).length <= 2048);
});

test('passages are short enough, lose nothing, and never split a sign', () => {
  const text = `${'A sentence that says something. '.repeat(200)}\n\n${'x'.repeat(3000)}\n${'🙂'.repeat(900)}`;
  const passages = passagesOf(text, 1200);
  assert.ok(passages.every((passage) => passage.length <= 1200));
  assert.equal(passages.join('').replace(/\s/g, ''), text.replace(/\s/g, ''));
  assert.ok(passages.every((passage) => passage.isWellFormed()));
});

test('a giant text is a bounded number of passages', () => {
  assert.equal(passagesOf('word '.repeat(1_000_000), 1200).length, 200);
});

test('the same passage of the same page is the same episode', async () => {
  const page = {url: 'https://example.org/a#top', title: 'Anemone', text: 'The server is called Anemone.'};
  const [one] = await episodesOf(page, new Date(0));
  const [two] = await episodesOf({...page, url: 'https://example.org/a#end'}, new Date(1));
  const [three] = await episodesOf({...page, url: 'https://example.org/b'}, new Date(1));
  assert.equal(one.external_id, two.external_id);
  assert.notEqual(one.external_id, three.external_id);
  assert.deepEqual([one.source, one.session, one.title, one.speaker], ['https://example.org/a', 'page:example.org', 'Anemone', '']);
  assert.equal(one.occurred_at, '1970-01-01T00:00:00.000Z');
});

test('a page goes along as something written by others', () => {
  assert.deepEqual(contextOf({url: 'https://example.org/a', title: 'T', text: 'x'}),
    {files: [{name: 'https://example.org/a', title: 'T', origin: 'page', text: 'x'}]});
  assert.equal(contextOf({url: '', text: 'x'}, 'selection').files[0].origin, 'selection');
});

test('a source opens where its words stand', () => {
  assert.equal(quotedAddress('https://example.org/a', 'The well-known server is called Anemone, and so on …'),
    'https://example.org/a#:~:text=The%20well%2Dknown%20server%20is%20called%20Anemone%2C%20and%20so');
  assert.equal(quotedAddress('https://example.org/a#b', 'x'), 'https://example.org/a#b');
});
