// What happens in the panel: the person's acts, Hearth's events, and what is shown of them.

import {isOver, textOf} from './answer.js';
import {at, fill, h} from './dom.js';
import {State} from './link.js';
import {asProblem} from './problem.js';
import {EventType} from './protocol.js';
import {ApprovalsView} from './views/approvals.js';
import {ComposerView} from './views/composer.js';
import {emptyView} from './views/empty.js';
import {MemoryView} from './views/memory.js';
import {PairingView} from './views/pairing.js';
import {problemView} from './views/problem.js';
import {StateView} from './views/state.js';
import {ThreadsView} from './views/threads.js';
import {TurnsView} from './views/turns.js';
import {count, visible} from './words.js';

const VIEWS = ['ask', 'threads', 'memory', 'pair'];
const HEALTH = [EventType.HEALTH_CHANGED, EventType.MODEL_READY, EventType.MODEL_LOADING];
const APPROVALS = [EventType.APPROVAL_REQUESTED, EventType.APPROVAL_DECIDED, EventType.APPROVAL_EXPIRED];
const SUMMARY = 'Summarise this page: what it says, and what matters in it.';

export class Panel {
  #browser;
  #link;
  #view = 'ask';
  #restored = false;
  #about = false;
  #busy = false;
  #lastAsked = null;

  constructor({browser, link}) {
    this.#browser = browser;
    this.#link = link;
  }

  async start() {
    this.#makeViews();
    this.#listen();
    this.show('ask');
    const {draft = ''} = await this.#browser.here.read();
    this.composer.text = draft;
    await this.pages.watch();
    await this.#grantWish();
    await this.#link.start();
  }

  #makeViews() {
    const open = (address) => this.#browser.openTab(address);
    const openThread = (id) => this.openThread(id);
    this.turns = new TurnsView(at('turns'), {
      open, openThread, askAgain: () => this.#askAgain(), rate: (answer, rating) => this.#try(() => this.conversation.rate(answer, rating)),
    });
    this.composer = new ComposerView(at('composer'), {
      send: (text) => this.send(text),
      stop: () => this.#try(() => this.conversation.stop()),
      about: (on) => this.#setAbout(on),
      summarise: () => this.#summarise(),
      remember: () => this.remember(),
      consent: (level) => this.#try(() => this.pages.consent(this.pages.view.site, level)),
      dropSelection: () => this.#setSelection(null),
    });
    this.threads = new ThreadsView(at('threads'), this.#link, openThread);
    this.memory = new MemoryView(at('memory'), this.#link, {open, openThread});
    this.pairing = new PairingView(at('pair'), this.#link, this.#browser);
    this.state = new StateView(at('state'), this.#link, () => this.#showEmpty());
    this.approvals = new ApprovalsView(at('approvals'), this.#link, (waiting) => this.state.waiting(waiting));
  }

  #listen() {
    this.#link.onState((state) => this.#linkChanged(state));
    this.#link.onEvent((event) => this.#heard(event));
    this.#browser.pairing.onChange((kept) => this.#link.keptChanged(kept));
    this.#browser.wish.onLeft(() => this.#grantWish());
    for (const view of ['ask', 'threads', 'memory']) at(`tab-${view}`).addEventListener('click', () => this.show(view));
    at('new').addEventListener('click', () => this.newThread());
    at('options').addEventListener('click', () => this.#browser.openOptions());
    at('composer').addEventListener('input', () => this.#browser.here.write({draft: this.composer.text}));
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#link.retry());
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  // -- the connection

  async #linkChanged({name, note}) {
    this.composer.state(name === State.OPEN, Boolean(this.conversation.running));
    this.state.link(name);
    document.body.classList.toggle('unpaired', name === State.UNPAIRED);
    this.showPage();
    if (name === State.UNPAIRED) {
      this.pairing.show(note);
      return this.show('pair');
    }
    if (this.#view === 'pair') this.show('ask');
    this.#showOffline(name === State.OFFLINE);
    return name === State.OPEN ? this.#opened() : this.#showEmpty();
  }

  async #opened() {
    this.conversation.reconnected();
    this.state.load();
    this.approvals.load();
    this.pages.loadConsents().catch(() => {});
    if (!this.#restored) {
      this.#restored = true;
      const {threadId} = await this.#browser.here.read();
      if (threadId && !this.conversation.thread) await this.conversation.open(threadId).catch(() => this.#browser.here.write({threadId: null}));
    }
    this.#showEmpty();
    if (this.#view === 'threads') this.threads.load(this.conversation.thread?.id);
  }

  #heard(event) {
    this.conversation.takeLive(event);
    if (HEALTH.includes(event.type)) this.state.load();
    if (APPROVALS.includes(event.type)) this.approvals.load();
    if (event.type === EventType.MEMORY_FORGOTTEN) this.memory.forgotten(event.data.ids);
    if (event.type === EventType.TASK_FINISHED && this.#view === 'threads') this.threads.load(this.conversation.thread?.id);
  }

  #showOffline(offline) {
    if (!offline) return this.notice(null);
    const problem = {
      detail: 'Hearth is not running on this machine.',
      fix: 'What you wrote stays here. Start it with “hearth up”; this panel goes on by itself.',
    };
    return this.notice(problemView(problem, [['Try again', () => this.#link.retry()]], 'info'));
  }

  // -- what is shown

  show(view) {
    this.#view = view;
    for (const name of VIEWS) at(name).hidden = name !== view;
    for (const name of ['ask', 'threads', 'memory']) at(`tab-${name}`).setAttribute('aria-current', name === view ? 'page' : 'false');
    if (view === 'ask') this.composer.focus();
    if (view === 'threads') this.threads.load(this.conversation.thread?.id);
    if (view === 'memory') this.memory.focus();
  }

  showPage() {
    const {view} = this.pages;
    this.composer.page(view && {...view, about: this.#about, busy: this.#busy});
  }

  conversationChanged(what, which) {
    if (what === 'answer') this.turns.update(which);
    else if (what === 'turn') this.turns.refresh(which);
    else this.#showTurns();
    if (what === 'thread') this.turns.toEnd();
    const running = Boolean(this.conversation.running);
    this.composer.state(this.#link.state.name === State.OPEN, running);
    this.state.thinking(running);
  }

  #showTurns() {
    this.turns.show(this.conversation.turns, emptyView(this.#link.state.name, this.state.status));
  }

  #showEmpty() {
    if (!this.conversation.turns.length) this.#showTurns();
  }

  notice(content) {
    fill(at('notice'), content);
  }

  // -- what the person does

  async send(text) {
    const before = this.composer.text;
    this.notice(null);
    try {
      const what = await this.#whatGoesAlong();
      this.composer.text = '';
      this.#lastAsked = {text, what};
      await this.conversation.say(text, {...what, localOnly: this.composer.localOnly});
      this.#browser.here.write({draft: ''});
      this.#setSelection(null);
      this.#setAbout(false);
      this.turns.toEnd();
      await this.#rememberIfWished(what.page);
    } catch (error) {
      this.composer.text ||= before;
      this.#tell(error, () => this.send(text));
    }
  }

  async #whatGoesAlong() {
    if (this.pages.selection) return this.pages.contextOfSelection();
    return this.#about ? this.pages.contextOfQuestion() : {};
  }

  #askAgain() {
    const {text, what} = this.#lastAsked ?? {text: this.conversation.turns.findLast((turn) => turn.role === 'user')?.text, what: {}};
    if (text) this.#try(() => this.conversation.say(text, {...what, localOnly: this.composer.localOnly}));
  }

  async #summarise() {
    this.show('ask');
    await this.#work(async () => {
      const {page, context, about} = await this.pages.contextOfPage();
      this.#lastAsked = {text: SUMMARY, what: {context, about}};
      await this.conversation.say(SUMMARY, {context, about, localOnly: this.composer.localOnly});
      await this.#rememberIfWished(page);
    }, () => this.#summarise());
  }

  /** The person says so: kept at once, whatever the site's level but "off". */
  async remember() {
    await this.#work(async () => this.#keep(await this.pages.read()), () => this.remember());
  }

  async #rememberIfWished(page) {
    if (page && this.pages.levelOf(new URL(page.url).hostname) === 'remember') await this.#keep(page);
  }

  async #keep(page) {
    const kept = await this.pages.remember(page);
    const what = kept.fresh
      ? `Remembered: ${page.title || page.url}, in ${count(kept.passages, 'passage')}${page.cut ? ' (its beginning; the page is longer)' : ''}.`
      : 'Nothing new: this page was remembered before.';
    const undo = [['Forget it again', () => this.#work(async () => {
      await this.pages.forget(kept.ids);
      this.notice(h('p', {role: 'status'}, 'Forgotten, in every door.'));
    })], ['Close', () => this.notice(null)]];
    this.notice(problemView({detail: what}, undo, 'info'));
  }

  #setAbout(on) {
    this.#about = on;
    this.showPage();
  }

  #setSelection(selection) {
    this.pages.selection = selection;
    this.composer.selection(selection?.text ?? '');
  }

  async openThread(id) {
    this.show('ask');
    await this.#try(() => this.conversation.open(id));
  }

  newThread() {
    this.conversation.begin();
    this.show('ask');
  }

  /** What was chosen in the page's menu. */
  async #grantWish() {
    const wish = await this.#browser.wish.take(this.pages.windowId);
    if (!wish) return;
    this.show('ask');
    this.pages.front = {tabId: wish.tabId, url: wish.url, title: visible(wish.title)};
    if (wish.kind === 'ask-selection') this.#setSelection({text: wish.text, url: wish.url, title: visible(wish.title)});
    else if (wish.kind === 'ask-page') this.#setAbout(true);
    else await this.#link.whenOpen().then(() => this.remember());
    this.showPage();
  }

  #key(event) {
    const ctrl = event.ctrlKey || event.metaKey;
    const act = KEYS.find(([matches]) => matches(event, ctrl))?.[1];
    if (!act) return;
    event.preventDefault();
    act(this, event);
  }

  escape() {
    if (this.conversation.running) this.#try(() => this.conversation.stop());
    else if (this.#view !== 'ask' && this.#view !== 'pair') this.show('ask');
    else this.#browser.closePanel();
  }

  copyLast() {
    const answer = this.conversation.lastAnswer;
    if (!answer) return;
    navigator.clipboard.writeText(textOf(answer));
    this.composer.say('The last answer is copied');
  }

  async nthThread(n) {
    if (!this.threads.threads.length) await this.threads.load(this.conversation.thread?.id);
    const thread = this.threads.threads[n - 1];
    if (thread) this.openThread(thread.id);
  }

  // -- telling what could not be done

  async #work(act, again) {
    this.#busy = true;
    this.notice(null);
    this.showPage();
    await this.#try(act, again);
    this.#busy = false;
    this.showPage();
  }

  async #try(act, again) {
    try {
      await act();
    } catch (error) {
      this.#tell(error, again);
    }
  }

  #tell(error, again) {
    const problem = asProblem(error);
    const actions = [['Close', () => this.notice(null)]];
    if (problem.code === 'not_allowed' && again) {
      const {site} = this.pages.view;
      actions.unshift([site ? `Allow ${site}` : 'Allow all sites', () => this.#browser.allow(site).then((given) => given && again())]);
    }
    this.notice(problemView(problem, actions, problem.code === 'not_allowed' ? 'info' : ''));
  }
}

const KEYS = [
  [(event) => event.key === 'Escape', (panel) => panel.escape()],
  [(event, ctrl) => ctrl && event.key === 'Enter', (panel) => panel.composer.send()],
  [(event, ctrl) => ctrl && !event.shiftKey && event.key.toLowerCase() === 'l', (panel) => {
    panel.show('ask');
    panel.composer.focus();
  }],
  [(event, ctrl) => ctrl && event.shiftKey && event.key.toLowerCase() === 'c', (panel) => panel.copyLast()],
  [(event, ctrl) => ctrl && event.key === '.', (panel) => {
    const answer = panel.conversation.lastAnswer;
    if (answer && isOver(answer)) panel.turns.toggleSources(answer);
  }],
  [(event) => event.altKey && /^Digit[1-9]$/.test(event.code), (panel, event) => panel.nthThread(Number(event.code.at(-1)))],
];
