// The protocol library of VS Code, without VS Code, against our server. Arguments: the server's command.
const assert = require('assert/strict');
const cp = require('child_process');
const lsp = require('vscode-languageserver-protocol/node');

const uri = 'file:///w/x.py';
const doc = { textDocument: { uri } };
const [command, ...args] = process.argv.slice(2);
const child = cp.spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
const c = lsp.createProtocolConnection(new lsp.StreamMessageReader(child.stdout), new lsp.StreamMessageWriter(child.stdin), console);
const edits = [], progress = [], pieces = [], states = [];
let settled;
const idle = new Promise((done) => { settled = done; });
c.onNotification('hearth/didChangeStatus', (status) => { states.push(status.state); if (status.state === 'idle') settled(); });
c.onNotification('hearth/answer', (piece) => pieces.push(piece.append));
c.onNotification('$/progress', (said) => progress.push(said.value.kind));
c.onRequest(lsp.WorkDoneProgressCreateRequest.type, () => {});
c.onRequest(lsp.ApplyWorkspaceEditRequest.type, (params) => { edits.push(params); return { applied: true }; });
c.listen();

(async () => {
  const init = await c.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid, rootUri: 'file:///w', initializationOptions: { answers: 'client' },
    capabilities: {
      textDocument: { inlineCompletion: {}, codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } } },
      window: { workDoneProgress: true }, workspace: { applyEdit: true, workspaceEdit: { documentChanges: true } },
    },
  });
  assert(init.capabilities.inlineCompletionProvider);
  await c.sendNotification(lsp.InitializedNotification.type, {});
  await idle;
  await c.sendNotification(lsp.DidOpenTextDocumentNotification.type,
    { textDocument: { uri, languageId: 'python', version: 1, text: 'def add(\nx = "\u{1F600}"\n' } });

  const inline = (line, character, token) => c.sendRequest(lsp.InlineCompletionRequest.type,
    { ...doc, position: { line, character }, context: { triggerKind: 1 } }, token);
  assert.equal((await inline(0, 8)).items[0].insertText, 'a, b):');

  const range = { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } };
  const actions = await c.sendRequest(lsp.CodeActionRequest.type, { ...doc, range, context: { diagnostics: [] } });
  const edit = actions.find((action) => action.kind === 'refactor.rewrite').command;
  const result = await c.sendRequest(lsp.ExecuteCommandRequest.type,
    { command: edit.command, arguments: [{ ...edit.arguments[0], instruction: 'finish it' }] });
  assert.deepEqual(result, { applied: true });
  assert.equal(edits[0].edit.documentChanges[0].edits[0].newText, 'def add(a, b): ...\n');

  const answer = await c.sendRequest(lsp.ExecuteCommandRequest.type, { command: 'hearth.ask', arguments: ['Who is it?'] });
  assert.equal(answer.text, 'It is me.');
  assert.equal(pieces.join(''), answer.text);
  assert.deepEqual([progress[0], progress.at(-1)], ['begin', 'end']);

  const cancel = new lsp.CancellationTokenSource();
  setImmediate(() => cancel.cancel());
  await assert.rejects(inline(1, 5, cancel.token), { code: lsp.LSPErrorCodes.RequestCancelled });

  await c.sendRequest(lsp.ShutdownRequest.type);
  const over = new Promise((done) => child.on('exit', done));
  await c.sendNotification(lsp.ExitNotification.type);
  assert.equal(await over, 0);
  console.log('ok', states.join(' '));
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
