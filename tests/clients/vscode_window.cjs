// The VS Code extension in a window that is a fake: it behaves as the editor's API does, keeps what is shown, and answers
// as a person would. The language client behind it is the protocol library itself, speaking with the real server.
// Arguments: the extension's src folder, then the server's command.
const assert = require('assert/strict');
const cp = require('child_process');
const Module = require('module');
const path = require('path');
const lsp = require('vscode-languageserver-protocol/node');

const [sources, ...server] = process.argv.slice(2);
const until = async (holds) => { while (!holds()) await new Promise((done) => setTimeout(done, 20)); };

class Uri {
  constructor(text) { this.text = text; }
  toString() { return this.text; }
  static parse(text) { return new Uri(text); }
  static joinPath(base, ...parts) { return new Uri([base.text, ...parts].join('/')); }
}
class Range { constructor(start, end) { this.start = start; this.end = end; } }
class Position { constructor(line, character) { this.line = line; this.character = character; } }

const seen = { warnings: [], opened: [], edits: [], web: [], picks: [], commands: new Map() };
const person = { input: undefined, pick: () => undefined };
const item = { show() {}, dispose() {} };
const listeners = {};
const settings = { server: { command: server }, completion: { enabled: true, debounceMs: 0 }, hover: { enabled: true } };
const source = 'def add(a, b):\n    return\n';
const document = { uri: new Uri('file:///w/add.py'), lineAt: () => ({ range: new Range(new Position(0, 0), new Position(0, 14)) }) };
let view;
const vscode = {
  Uri, Range, Position,
  StatusBarAlignment: { Right: 2 },
  ThemeColor: class { constructor(id) { this.id = id; } },
  CancellationTokenSource: lsp.CancellationTokenSource,
  env: { openExternal: (uri) => seen.opened.push(uri.text), clipboard: { writeText: async () => {} } },
  workspace: {
    getConfiguration: () => ({ get: (name) => name.split('.').reduce((value, part) => value[part], settings) }),
    asRelativePath: (uri) => uri.text.split('/').pop(),
    onDidChangeConfiguration: (act) => { listeners.configuration = act; return { dispose() {} }; },
  },
  commands: {
    registerCommand: (name, act) => { assert(!seen.commands.has(name)); seen.commands.set(name, act); return { dispose() {} }; },
    executeCommand: async (name, ...given) => {
      if (name === 'hearth.askView.focus') return view || show();
      assert(seen.commands.has(name), `no command ${name}`);
      return seen.commands.get(name)(...given);
    },
  },
  window: {
    activeTextEditor: { document, selection: Object.assign(new Range(new Position(0, 0), new Position(2, 0)), { isEmpty: false }) },
    createOutputChannel: (name, options) => { assert.deepEqual(options, { log: true }); return { dispose() {} }; },
    createStatusBarItem: () => item,
    registerWebviewViewProvider: (id, provider) => { listeners.provider = provider; return { dispose() {} }; },
    showWarningMessage: (message) => { seen.warnings.push(message); },
    showErrorMessage: (message) => { seen.warnings.push(message); },
    showInputBox: async () => person.input,
    showQuickPick: async (items) => { seen.picks.push(items); return person.pick(items); },
    showTextDocument: async (uri, where) => { seen.opened.push(`${uri.text}:${where.selection.start.line}`); },
  },
};

function show() {
  const webview = {
    cspSource: 'self', options: {}, asWebviewUri: (uri) => uri.text,
    postMessage: (message) => seen.web.push(message),
    onDidReceiveMessage: (act) => { listeners.web = act; },
  };
  view = { webview, onDidDispose() {} };
  listeners.provider.resolveWebviewView(view);
  assert.match(webview.html, /default-src 'none'/);
  return listeners.web({ ready: true });
}

// What vscode-languageclient does of what the extension uses, on the same protocol library.
class LanguageClient {
  constructor(id, name, run, options) { Object.assign(this, { run, options, notified: [] }); }
  onNotification(method, act) { this.notified.push([method, act]); }
  async start() {
    this.child = cp.spawn(this.run.command, this.run.args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.connection = lsp.createProtocolConnection(new lsp.StreamMessageReader(this.child.stdout), new lsp.StreamMessageWriter(this.child.stdin));
    for (const [method, act] of this.notified) this.connection.onNotification(method, act);
    this.connection.onRequest('workspace/applyEdit', (params) => { seen.edits.push(params); return { applied: true }; });
    this.connection.onRequest('window/workDoneProgress/create', () => {});
    this.connection.onRequest('window/showMessageRequest', (params) => params.actions[0]);
    this.connection.listen();
    const init = await this.connection.sendRequest('initialize', {
      processId: process.pid, rootUri: 'file:///w', initializationOptions: this.options.initializationOptions,
      capabilities: { textDocument: { inlineCompletion: {} }, workspace: { applyEdit: true } },
    });
    for (const name of init.capabilities.executeCommandProvider.commands) {
      const send = (command, given) => this.sendRequest('workspace/executeCommand', { command, arguments: given });
      vscode.commands.registerCommand(name, (...given) => this.options.middleware.executeCommand(name, given, send));
    }
    await this.connection.sendNotification('initialized', {});
    const opened = { uri: document.uri.text, languageId: 'python', version: 1, text: source };
    await this.connection.sendNotification('textDocument/didOpen', { textDocument: opened });
  }
  sendRequest(method, ...given) { return this.connection.sendRequest(method, ...given); }
  sendNotification(method, params) { return this.connection.sendNotification(method, params); }
  async stop() {
    await this.connection.sendRequest('shutdown');
    const over = new Promise((done) => this.child.on('exit', done));
    await this.connection.sendNotification('exit');
    return over;
  }
}

const load = Module._load;
Module._load = (name, ...rest) => {
  if (name === 'vscode') return vscode;
  if (name === 'vscode-languageclient/node') return { LanguageClient };
  return load(name, ...rest);
};

(async () => {
  const extension = require(path.join(sources, 'extension.js'));
  const context = { extensionUri: new Uri('file:///extension'), subscriptions: [] };
  await extension.activate(context);
  await until(() => item.text === '$(flame) Hearth');
  assert.match(item.tooltip, /Hearth is ready: desk.m/);

  await vscode.commands.executeCommand('hearth.askSelection');
  assert.deepEqual(seen.web.map((message) => Object.keys(message)[0]), ['about', 'focus']);
  await listeners.web({ ask: 'What is it?', again: true });
  const pieces = seen.web.filter((message) => message.piece).map((message) => message.piece.text);
  const { answer } = seen.web.at(-1).finish;
  assert.equal(pieces.at(-1), 'It adds [1].');
  assert.equal(answer.text, 'It adds [1].');
  await listeners.web({ open: answer.sources[0] });
  assert.deepEqual(seen.opened, ['file:///w/add.py:0']);
  await listeners.web({ open: { url: 'javascript:alert(1)' } });
  await listeners.web({ open: { uri: 'command:rm', line: 1 } });
  assert.equal(seen.opened.length, 1);

  await vscode.commands.executeCommand('hearth.editSelection');       // no instruction: nothing is asked
  person.input = 'return the sum';
  await vscode.commands.executeCommand('hearth.edit', { uri: document.uri.text, range: { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } } });
  assert.equal(seen.edits[0].edit.changes[document.uri.text][0].newText, '    return a + b\n');

  person.input = 'anemone';
  const wanted = ['Anemone', 'Open the page'];
  person.pick = (items) => items.find((one) => (one.label ?? one).includes(wanted[seen.picks.length - 1]));
  await vscode.commands.executeCommand('hearth.recallMemory');
  assert.equal(seen.opened.at(-1), 'https://ops.example.org/hosts');
  seen.picks.length = 0;
  wanted.splice(0, 2, 'Anemone', 'Forget');
  await vscode.commands.executeCommand('hearth.recallMemory');
  person.pick = (items) => items.find((one) => one.label.includes('What is it?'));
  await vscode.commands.executeCommand('hearth.continueThread');
  assert.deepEqual(seen.warnings, []);

  await vscode.commands.executeCommand('hearth.explain', { uri: 'file:///not/open' });
  assert.match(seen.web.at(-1).finish.problem, /not open in the editor/);
  listeners.configuration({ affectsConfiguration: () => true });
  assert.equal(await extension.deactivate(), 0);
  console.log('ok');
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
