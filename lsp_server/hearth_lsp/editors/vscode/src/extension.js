// Hearth in VS Code: a thin client of `hearth lsp`. Ghost text, hover and code actions need no code here.
const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');
const { AskView } = require('./ask_view');
const { problem } = require('./answers');
const { shown } = require('./status');

const SETTINGS = ['completion', 'hover'];
let client;

const settings = () => Object.fromEntries(SETTINGS.map((name) => [name, vscode.workspace.getConfiguration('hearth').get(name)]));

const selected = () => {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return undefined;
  const { document, selection } = editor;
  const { start, end } = selection.isEmpty ? document.lineAt(selection.start.line).range : selection;
  const plain = ({ line, character }) => ({ line, character });
  const name = vscode.workspace.asRelativePath(document.uri);
  return { uri: document.uri.toString(), range: { start: plain(start), end: plain(end) }, name };
};

// A token that is undefined would make the library send the parameters as a list.
const ask = (command, argument, ...token) =>
  client.sendRequest('workspace/executeCommand', { command, arguments: [argument] }, ...token);

async function changed(command, argument) {
  const result = await ask(command, argument);
  const said = problem(result);
  if (said) vscode.window.showWarningMessage(`Hearth: ${said}`);
  return result;
}

async function edit(argument) {
  const instruction = argument.instruction || (await vscode.window.showInputBox({
    title: 'Hearth', prompt: 'What should be done with the selection?', placeHolder: 'for example: handle an empty list',
  }));
  return instruction ? changed('hearth.edit', { ...argument, instruction }) : { applied: false };
}

async function decide(argument) {
  if (argument.decision !== 'respond') return changed('hearth.decide', argument);
  const text = await vscode.window.showInputBox({ title: 'Hearth', prompt: 'Why not, or what instead? The task reads it.' });
  return text ? changed('hearth.decide', { ...argument, text }) : { decided: '' };
}

async function recall() {
  const text = await vscode.window.showInputBox({ title: 'Hearth', prompt: 'What should Hearth recall?' });
  if (!text) return;
  const found = await changed('hearth.recall', { text });
  if (!found || found.problem) return;
  const items = found.memories.map((memory) => ({ label: memory.text, detail: memory.url || memory.source, memory }));
  const picked = await vscode.window.showQuickPick(items, { title: `Hearth remembers about “${text}”`, matchOnDetail: true });
  if (!picked) return;
  const choices = [...(picked.memory.url ? ['Open the page'] : []), 'Copy', 'Forget'];
  const choice = await vscode.window.showQuickPick(choices, { title: picked.label });
  if (choice === 'Open the page') await AskView.show({ url: picked.memory.url });
  if (choice === 'Copy') await vscode.env.clipboard.writeText(picked.memory.text);
  if (choice === 'Forget') await changed('hearth.forget', { ids: [picked.memory.id] });
}

async function goOn(view) {
  const found = await changed('hearth.threads', {});
  if (!found || found.problem) return;
  const items = found.threads.map((thread) => ({ label: thread.title || 'no title', description: thread.door, thread }));
  const picked = await vscode.window.showQuickPick(items, { title: 'Go on in a thread' });
  if (!picked) return;
  view.goOnIn(picked.thread.id);
  await view.open();
}

async function menu() {
  const entries = { Ask: 'hearth.openAsk', Recall: 'hearth.recallMemory', 'Go on in a thread': 'hearth.continueThread', 'Restart the language server': 'hearth.restart' };
  const picked = await vscode.window.showQuickPick(Object.keys(entries), { title: 'Hearth' });
  if (picked) await vscode.commands.executeCommand(entries[picked]);
}

function makeClient(context, view, item) {
  const log = vscode.window.createOutputChannel('Hearth', { log: true }); // a plain channel breaks client 11
  const [command, ...args] = vscode.workspace.getConfiguration('hearth').get('server.command');
  const middleware = {
    executeCommand: async (name, given, next) => {
      if (name === 'hearth.edit') return edit(given[0]);
      if (name === 'hearth.explain') return view.open().then(() => view.answered(name, given[0], 'Explain this'));
      if (name === 'hearth.fix' || name === 'hearth.approval') return changed(name, given[0]);
      if (name === 'hearth.decide') return decide(given[0]);
      return next(name, given);
    },
  };
  const made = new LanguageClient('hearth', 'Hearth', { command, args }, {
    documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }],
    outputChannel: log,
    initializationOptions: { answers: 'client', ...settings() },
    middleware,
  });
  made.onNotification('hearth/answer', (piece) => view.piece(piece));
  made.onNotification('hearth/didChangeStatus', (status) => {
    const { text, tooltip, warns } = shown(status);
    Object.assign(item, { text, tooltip, backgroundColor: warns ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined });
  });
  context.subscriptions.push(log);
  return made;
}

exports.activate = async (context) => {
  const item = vscode.window.createStatusBarItem('hearth', vscode.StatusBarAlignment.Right, 100);
  Object.assign(item, { name: 'Hearth', command: 'hearth.menu', ...shown({ state: 'starting', message: 'Hearth is starting.' }) });
  item.show();
  const view = new AskView(vscode.Uri.joinPath(context.extensionUri, 'media'), ask);
  client = makeClient(context, view, item);
  const on = (name, act) => vscode.commands.registerCommand(name, act);
  const withSelection = (act) => () => { const where = selected(); return where && act(where); };
  context.subscriptions.push(
    item,
    vscode.window.registerWebviewViewProvider('hearth.askView', view, { webviewOptions: { retainContextWhenHidden: true } }),
    on('hearth.openAsk', () => view.open()),
    on('hearth.askSelection', withSelection((where) => view.open(where))),
    on('hearth.explainSelection', withSelection((where) => view.open(where).then(() => view.answered('hearth.explain', where, `Explain ${where.name}`)))),
    on('hearth.editSelection', withSelection(edit)),
    on('hearth.recallMemory', recall),
    on('hearth.continueThread', () => goOn(view)),
    on('hearth.menu', menu),
    on('hearth.restart', () => client.restart()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('hearth')) client.sendNotification('workspace/didChangeConfiguration', { settings: { hearth: settings() } });
    }),
  );
  try {
    await client.start();
  } catch (error) {
    item.text = '$(error) Hearth';
    item.tooltip = 'The language server did not start.';
    vscode.window.showErrorMessage(`Hearth's language server did not start (${error.message}). Install Hearth, or set hearth.server.command.`);
  }
};

exports.deactivate = () => client?.stop();
