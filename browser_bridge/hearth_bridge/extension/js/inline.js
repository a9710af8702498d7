// Markdown inside a line, as values: emphasis, code, links, citations. Pure; what is not understood stays text.

const SAFE = ['http:', 'https:', 'mailto:'];
const RULES = [
  [/`+/y, code],
  [/\*\*|__/y, (at) => emphasis(at, 'strong')],
  [/\*|_/y, (at) => emphasis(at, 'em')],
  [/~~/y, (at) => emphasis(at, 'del')],
  [/!?\[/y, bracket],
  [/<(?:https?:\/\/|mailto:)[^\s<>]+>/y, (at, found) => link(found.slice(1, -1), [text(found.slice(1, -1))], found.length)],
  [/https?:\/\/[^\s<>"'`]+/y, bare],
  [/\\[!-/:-@[-`{-~]/y, (at, found) => ({node: text(found[1]), length: 2})],
  [/(?: {2,}|\\)\n/y, (at, found) => ({node: {type: 'break'}, length: found.length})],
];
const DEEPEST = 12;

export const text = (value) => ({type: 'text', value});

/** The nodes of a line or a paragraph. */
export function parseInline(source, depth = 0) {
  const nodes = [];
  let plain = '';
  for (let at = 0; at < source.length;) {
    const found = depth < DEEPEST ? match({source, at, depth}) : null;
    if (found) {
      if (plain) nodes.push(text(plain));
      plain = '';
      nodes.push(found.node);
      at += found.length;
    } else {
      plain += source[at++];
    }
  }
  if (plain) nodes.push(text(plain));
  return nodes;
}

/** The address, when a person may be sent there; null for every other scheme. */
export function safeAddress(address) {
  try {
    const url = new URL(address);
    return SAFE.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function match(place) {
  for (const [pattern, rule] of RULES) {
    pattern.lastIndex = place.at;
    const found = pattern.exec(place.source);
    const made = found && rule(place, found[0]);
    if (made) return made;
  }
  return null;
}

function code({source, at}, ticks) {
  const end = source.indexOf(ticks, at + ticks.length);
  if (end < 0 || source[end + ticks.length] === '`') return null;
  const inside = source.slice(at + ticks.length, end).replaceAll('\n', ' ');
  const value = /^ .*[^ ].* $/.test(inside) ? inside.slice(1, -1) : inside;
  return {node: {type: 'code', value}, length: end + ticks.length - at};
}

function emphasis({source, at, depth}, type) {
  const mark = type === 'em' ? source[at] : source.slice(at, at + 2);
  const [before, after] = [source[at - 1] ?? ' ', source[at + mark.length] ?? ' '];
  if (/\s/.test(after) || (mark[0] === '_' && /\w/.test(before))) return null;
  for (let end = source.indexOf(mark, at + mark.length); end > 0; end = source.indexOf(mark, end + 1)) {
    if (/\s/.test(source[end - 1]) || end === at + mark.length) continue;
    if (mark.length === 1 && (source[end + 1] === mark || source[end - 1] === mark)) continue;
    if (mark[0] === '_' && /\w/.test(source[end + mark.length] ?? ' ')) continue;
    const inside = source.slice(at + mark.length, end);
    return {node: {type, children: parseInline(inside, depth + 1)}, length: inside.length + 2 * mark.length};
  }
  return null;
}

/** A citation `[1]` or `[1, 2]`; a link `[words](address)`; a picture is never fetched: its words and address stand. */
function bracket({source, at, depth}, mark) {
  const rest = source.slice(at + mark.length - 1);
  const cited = mark === '[' && /^\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()/.exec(rest);
  if (cited) return {node: {type: 'cite', numbers: cited[1].split(/[,;]/).map(Number)}, length: cited[0].length};
  const found = /^\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)\]\(\s*<?([^\s()<>]+(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)/.exec(rest);
  if (!found) return null;
  return link(found[2], parseInline(found[1] || found[2], depth + 1), found[0].length + mark.length - 1);
}

function bare({source, at}, found) {
  if (/\w/.test(source[at - 1] ?? ' ')) return null;
  let address = found.replace(/[.,;:!?*_~]+$/, '');
  while (address.endsWith(')') && count(address, ')') > count(address, '(')) address = address.slice(0, -1);
  address = address.replace(/[.,;:!?\]]+$/, '');
  return link(address, [text(address)], address.length);
}

function link(address, children, length) {
  const href = safeAddress(address);
  const shown = {type: 'span', children: [...children, text(` (${address})`)]};
  return {node: href ? {type: 'link', href, children} : shown, length};
}

function count(source, mark) {
  return source.split(mark).length - 1;
}
