// Markdown as a tree of values. Pure: no DOM here, so nothing that a model writes can become markup.
//
// `parse` gives blocks with the place where each begins, so that a growing text is parsed again from its last block only.

import {parseInline, text} from './inline.js';

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( +|$)/;
const PASSAGE = /^\[(\d{1,3})\] (.+)$/;
const ROW = /^ {0,3}\|?.*\|.*$/;
const DIVIDER = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const DEEPEST = 8;

/** The blocks of a text, each with `start`, its place in the text. */
export function parse(source) {
  return blocks(source.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n'), 0);
}

function blocks(lines, depth) {
  const found = [];
  const starts = offsets(lines);
  for (let at = 0; at < lines.length;) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [block, next] = blockAt(lines, at, depth);
    found.push({...block, start: starts[at]});
    at = next;
  }
  return found;
}

function blockAt(lines, at, depth) {
  if (depth > DEEPEST) return paragraph(lines, at);
  for (const rule of [fence, heading, ruleLine, quote, passage, list, table]) {
    const found = rule(lines, at, depth);
    if (found) return found;
  }
  return paragraph(lines, at);
}

function fence(lines, at) {
  const opened = FENCE.exec(lines[at]);
  if (!opened) return null;
  const close = new RegExp(`^ {0,3}${opened[1][0]}{${opened[1].length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end])) end += 1;
  const value = lines.slice(at + 1, end).join('\n');
  return [{type: 'code', language: opened[2], value, open: end >= lines.length}, end + 1];
}

function heading(lines, at) {
  const found = HEADING.exec(lines[at]);
  return found && [{type: 'heading', level: found[1].length, children: parseInline(found[2])}, at + 1];
}

function ruleLine(lines, at) {
  return RULE.test(lines[at]) ? [{type: 'rule'}, at + 1] : null;
}

function quote(lines, at, depth) {
  if (!QUOTE.test(lines[at])) return null;
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ''));
  return [{type: 'quote', children: blocks(inside, depth + 1)}, end];
}

/** A quoted passage, as an answer without a model shows it: `[1] where it is from`, then its text indented by four. */
function passage(lines, at, depth) {
  const found = PASSAGE.exec(lines[at]);
  if (!found || !lines[at + 1]?.startsWith('    ')) return null;
  let end = at + 1;
  while (end < lines.length && (!lines[end].trim() || lines[end].startsWith('    '))) end += 1;
  const inside = lines.slice(at + 1, end).map((line) => line.slice(4));
  return [{type: 'passage', number: Number(found[1]), from: found[2], children: blocks(inside, depth + 1)}, end];
}

function list(lines, at, depth) {
  const first = ITEM.exec(lines[at]);
  if (!first) return null;
  const ordered = /\d/.test(first[2]);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const mark = ITEM.exec(lines[end]);
    if (!mark || /\d/.test(mark[2]) !== ordered || RULE.test(lines[end])) break;
    const [inside, next] = item(lines, end, mark[0].length || 2);
    items.push(blocks(inside, depth + 1));
    end = next;
  }
  return [{type: 'list', ordered, first: ordered ? Number.parseInt(first[2], 10) : 1, items}, end];
}

/** The lines of one item: its own, those indented below it, and lines that only go on with its paragraph. */
function item(lines, at, indent) {
  const inside = [lines[at].slice(indent)];
  let end = at + 1;
  for (; end < lines.length; end += 1) {
    const line = lines[end];
    if (!line.trim()) {
      if (!indented(lines[end + 1] ?? '')) break;
      inside.push('');
    } else if (indented(line)) {
      inside.push(line.slice(Math.min(indent, line.search(/\S/))));
    } else if (lines[end - 1].trim() && !ITEM.test(line) && !begins(line)) {
      inside.push(line.trim());
    } else break;
  }
  while (end < lines.length && !lines[end].trim() && ITEM.test(lines[end + 1] ?? '')) end += 1;
  return [inside, end];
}

const indented = (line) => /^(?: {2,}|\t)\S/.test(line);

function table(lines, at) {
  if (!ROW.test(lines[at]) || !DIVIDER.test(lines[at + 1] ?? '') || !lines[at + 1].includes('|')) return null;
  const head = cells(lines[at]);
  const aligns = cells(lines[at + 1]).map(alignment);
  if (aligns.length !== head.length) return null;
  let end = at + 2;
  while (end < lines.length && lines[end].trim() && ROW.test(lines[end])) end += 1;
  const rows = lines.slice(at + 2, end).map((line) => fitted(cells(line), head.length).map((cell) => parseInline(cell)));
  return [{type: 'table', head: head.map((cell) => parseInline(cell)), rows, aligns}, end];
}

function cells(line) {
  const inside = line.trim().replace(/^\|/, '').replace(/(?<!\\)\|$/, '');
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** A row with more cells than the head keeps them, in its last one: nothing that was written is lost. */
function fitted(row, width) {
  return row.length > width ? [...row.slice(0, width - 1), row.slice(width - 1).join(' | ')] : row;
}

function alignment(cell) {
  if (cell.startsWith(':') && cell.endsWith(':')) return 'center';
  return cell.endsWith(':') ? 'right' : 'left';
}

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !begins(lines[end])) end += 1;
  const source = lines.slice(at, end).map((line) => line.replace(/^\s+/, '')).join('\n');
  return [{type: 'paragraph', children: source ? parseInline(source.replace(/\s+$/, '')) : [text('')]}, end];
}

/** Whether this line can begin a block in the middle of a paragraph. */
function begins(line) {
  const mark = ITEM.exec(line);
  const listed = mark && (!/\d/.test(mark[2]) || mark[2].startsWith('1')) && line.length > mark[0].length;
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || PASSAGE.test(line) || listed;
}

function offsets(lines) {
  let at = 0;
  return lines.map((line) => {
    const start = at;
    at += line.length + 1;
    return start;
  });
}
