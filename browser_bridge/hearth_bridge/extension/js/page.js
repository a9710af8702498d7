// What is read of a page, and how it is handed on: as data, cut where it is too long, with where it came from.

const LONGEST_PASSAGE = 1200;
const MOST_PASSAGES = 200;
const LONGEST_ADDRESS = 2048;

/** Characters of a page that go with a question. */
export const LONGEST_PAGE = 100_000;

/**
 * Runs inside the page (so it stands alone): what a person can see of it. Hidden text is left out, because a page may
 * hide orders for a model in it; what is typed into fields is never read.
 */
export function readPage(longest) {
  const SKIP = 'script,style,noscript,template,svg,canvas,iframe,object,audio,video,select,textarea,input,button,'
    + 'nav,footer,aside,dialog:not([open]),[hidden],[aria-hidden="true"],[role="navigation"],[role="banner"]';
  const BLOCK = /^(block|flex|grid|list-item|table|table-row|flow-root)$/;
  const CLEAR = /^transparent$|^rgba\(.*, 0\)$/;
  const seen = new Map();

  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!CLEAR.test(colour)) return colour;
    }
    return `rgb(${[255, 255, 255].join(', ')})`; // paper, where a page says nothing
  };
  const visible = (element) => {
    if (!seen.has(element)) seen.set(element, look(element));
    return seen.get(element);
  };
  const look = (element) => {
    if (element.closest(SKIP)) return false;
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) return false;
    const style = getComputedStyle(element);
    if (Number.parseFloat(style.fontSize) < 4 || Number.parseFloat(style.textIndent) < -500) return false;
    if (style.clip === 'rect(0px, 0px, 0px, 0px)' || style.clipPath === 'inset(100%)') return false;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return style.display === 'contents' || style.display === 'inline';
    if (box.right + scrollX < 0 || box.bottom + scrollY < 0) return false;
    return style.color !== ground(element) && !CLEAR.test(style.color);
  };
  const blockOf = (element) => {
    let one = element;
    while (one.parentElement && !BLOCK.test(getComputedStyle(one).display)) one = one.parentElement;
    return one;
  };
  const gather = (root) => {
    const parts = [];
    let [length, last, cut] = [0, null, false];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const words = node.data.replace(/\s+/g, ' ');
      if (words === '' || (words === ' ' && last === null) || !visible(node.parentElement)) continue;
      if (length > longest) {
        cut = true;
        break;
      }
      const block = blockOf(node.parentElement);
      const between = last !== null && block !== last ? '\n' : '';
      parts.push(between + words);
      length += words.length + between.length;
      last = block;
    }
    const text = parts.join('').replace(/[ \t]+\n/g, '\n').replace(/\n[ \t]+/g, '\n').trim();
    return {text: text.slice(0, longest), cut: cut || text.length > longest};
  };

  const body = document.body;
  const whole = body?.textContent.length ?? 0;
  const main = document.querySelector('main, [role="main"], article');
  let found = main && main.textContent.trim().length > 500 ? gather(main) : {text: ''};
  if (found.text.length < 200 && body) found = gather(body);
  return {
    url: location.href.slice(0, 4096), title: document.title.slice(0, 300), text: found.text ?? '', cut: Boolean(found.cut), whole,
    selection: String(getSelection() ?? '').trim().slice(0, longest),
  };
}

/** The site that a consent is about; empty for what is no web page. */
export function siteOf(address) {
  try {
    const url = new URL(address);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.hostname : '';
  } catch {
    return '';
  }
}

/** The address that is kept: without the place on the page, and without a user's name or password. */
export function addressOf(address) {
  try {
    const url = new URL(address);
    url.hash = url.username = url.password = '';
    if (url.href.length > LONGEST_ADDRESS) url.search = '';
    return url.href.slice(0, LONGEST_ADDRESS);
  } catch {
    return '';
  }
}

/** Paragraphs joined to passages, each short enough to be quoted and found by itself. */
export function passagesOf(text, longest = LONGEST_PASSAGE) {
  const passages = [];
  let now = '';
  for (const piece of pieces(text, longest)) {
    if (now && now.length + piece.length + 1 > longest) {
      passages.push(now);
      now = '';
    }
    now = now ? `${now}\n${piece}` : piece;
  }
  if (now) passages.push(now);
  return passages.slice(0, MOST_PASSAGES);
}

function* pieces(text, longest) {
  for (const line of text.split('\n')) {
    let rest = line.trim();
    while (rest.length > longest) {
      const cut = breakAt(rest, longest);
      yield rest.slice(0, cut).trim();
      rest = rest.slice(cut).trim();
    }
    if (rest) yield rest;
  }
}

/** After a sentence if there is one late enough, else between words, and never within a character. */
function breakAt(text, longest) {
  const head = text.slice(0, longest);
  const sentence = Math.max(head.lastIndexOf('. '), head.lastIndexOf('? '), head.lastIndexOf('! '));
  if (sentence > longest / 2) return sentence + 1;
  const word = head.lastIndexOf(' ');
  if (word > longest / 2) return word;
  return /[\uD800-\uDBFF]$/.test(head) ? longest - 1 : longest;
}

/** The episodes that keep a page. The same passage of the same page again is the same episode. */
export async function episodesOf(page, now = new Date()) {
  const source = addressOf(page.url);
  const passages = passagesOf(page.text);
  return Promise.all(passages.map(async (text) => ({
    external_id: await digest(`${source}\n${text}`), source, title: page.title, session: `page:${siteOf(source)}`.slice(0, 256),
    speaker: '', occurred_at: now.toISOString(), text,
  })));
}

async function digest(text) {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(bytes).slice(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What is laid beside a question: a page or a selection (`origin`), by its address, as something written by others. */
export function contextOf({url, title = '', text}, origin = 'page') {
  return {files: [{name: addressOf(url) || 'page', title: title.slice(0, 300), origin, text}]};
}

/** Where a quote stands on its page, so that the browser scrolls to it. */
export function quotedAddress(address, quote) {
  const words = quote.replace(/…$/, '').trim().split(/\s+/).slice(0, 8).join(' ');
  if (!words || address.includes('#')) return address;
  return `${address}#:~:text=${encodeURIComponent(words).replaceAll('-', '%2D')}`;
}
