// Markdown's tree as elements. A growing text keeps the elements of its finished blocks: only its last block is made anew.

import {h} from './dom.js';
import {parse} from './markdown.js';

export class MarkdownView {
  #element;
  #cite;
  #text = '';
  #settled = 0;
  #settledNodes = 0;

  /** `cite(number)` gives the element for a citation. */
  constructor(element, cite) {
    this.#element = element;
    this.#cite = cite;
  }

  show(text) {
    if (text === this.#text) return;
    if (!text.startsWith(this.#text.slice(0, this.#settled))) this.#settled = this.#settledNodes = 0;
    this.#text = text;
    const found = parse(text.slice(this.#settled));
    while (this.#element.childNodes.length > this.#settledNodes) this.#element.lastChild.remove();
    this.#element.append(...found.map((block) => this.#block(block)));
    if (found.length > 1) {
      this.#settled += found.at(-1).start;
      this.#settledNodes = this.#element.childNodes.length - 1;
    }
  }

  #block(block) {
    switch (block.type) {
      case 'heading': return h(`h${Math.min(block.level + 2, 6)}`, {}, this.#inline(block.children));
      case 'code': return codeBlock(block);
      case 'rule': return h('hr');
      case 'quote': return h('blockquote', {}, block.children.map((child) => this.#block(child)));
      case 'passage': return this.#passage(block);
      case 'list': return this.#list(block);
      case 'table': return this.#table(block);
      default: return h('p', {}, this.#inline(block.children));
    }
  }

  #passage({number, from, children}) {
    const head = h('figcaption', {}, this.#cite(number), ' ', from);
    return h('figure.passage', {}, head, h('blockquote', {}, children.map((child) => this.#block(child))));
  }

  #list({ordered, first, items}) {
    const made = items.map((blocks) => h('li', {}, blocks.map((block) => this.#tight(block, blocks))));
    return ordered ? h('ol', {start: first === 1 ? null : first}, made) : h('ul', {}, made);
  }

  /** An item of one paragraph is a line, not a paragraph. */
  #tight(block, all) {
    const line = block.type === 'paragraph' && all.filter((one) => one.type === 'paragraph').length === 1;
    return line ? this.#inline(block.children) : this.#block(block);
  }

  #table({head, rows, aligns}) {
    const row = (tag, cells) => h('tr', {}, cells.map((cell, n) => h(`${tag}.${aligns[n] ?? 'left'}`, {}, this.#inline(cell))));
    const table = h('table', {}, h('thead', {}, row('th', head)), h('tbody', {}, rows.map((cells) => row('td', cells))));
    return h('div.wide', {tabindex: '0', role: 'region', 'aria-label': 'Table'}, table);
  }

  #inline(nodes) {
    return nodes.map((node) => this.#node(node));
  }

  #node(node) {
    switch (node.type) {
      case 'text': return document.createTextNode(node.value);
      case 'code': return h('code', {}, node.value);
      case 'break': return h('br');
      case 'cite': return h('span', {}, node.numbers.map((number) => this.#cite(number)));
      case 'link': return h('a', {href: node.href, target: '_blank', rel: 'noopener noreferrer nofollow', title: node.href},
        this.#inline(node.children));
      default: return h(node.type, {}, this.#inline(node.children));
    }
  }
}

function codeBlock({language, value}) {
  const copy = h('button.quiet.copy', {type: 'button', onclick: () => navigator.clipboard.writeText(value)}, 'Copy');
  const head = h('div.code-head', {}, h('span', {}, language || 'text'), copy);
  return h('div.code', {}, head, h('pre', {tabindex: '0'}, h('code', {}, value)));
}
