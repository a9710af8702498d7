// The Ask view: questions in, answers out while they come; sources open where they came from.
const vscode = require('vscode');
const { randomBytes } = require('crypto');
const { Answers, problem } = require('./answers');

const page = (webview, media, nonce) => `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'">
<link rel="stylesheet" href="${webview.asWebviewUri(vscode.Uri.joinPath(media, 'ask.css'))}"></head>
<body><form id="ask"><textarea id="words" aria-label="Ask Hearth" placeholder="Ask Hearth (Ctrl+Enter sends)"></textarea>
<div class="row"><button type="submit">Ask</button><button type="button" id="stop" hidden>Stop</button>
<label class="muted"><input type="checkbox" id="again" checked> go on in this thread</label></div>
<div id="about" class="muted"></div></form><div id="turns" aria-live="polite"></div>
<script nonce="${nonce}" src="${webview.asWebviewUri(vscode.Uri.joinPath(media, 'ask.js'))}"></script></body></html>`;

class AskView {
  // `run(command, argument, token)` asks the server; `token` is a cancellation token of the editor.
  constructor(media, run) {
    this.media = media;
    this.run = run;
    this.answers = new Answers();
    this.thread = '';
    this.about = undefined;
    this.stops = new Set();
    this.waiting = [];
    this.count = 0;
  }

  resolveWebviewView(view) {
    this.view = view;
    this.ready = false;
    view.webview.options = { enableScripts: true, localResourceRoots: [this.media] };
    view.webview.onDidReceiveMessage((message) => this.heard(message));
    view.onDidDispose(() => { this.view = undefined; this.ready = false; });
    view.webview.html = page(view.webview, this.media, randomBytes(16).toString('hex'));
  }

  async open(about) {
    this.about = about;
    await vscode.commands.executeCommand('hearth.askView.focus');
    this.tell({ about: about ? `about ${about.name}` : '' });
    this.tell({ focus: true });
  }

  goOnIn(thread) { this.thread = thread; }

  piece(piece) {
    const text = this.answers.take(piece);
    if (text !== undefined) this.tell({ piece: { token: piece.token, text } });
  }

  async ask(question, again = true) {
    const argument = { text: question, ...(again && this.thread ? { thread_id: this.thread } : {}) };
    if (this.about) Object.assign(argument, { uri: this.about.uri, range: this.about.range });
    await this.answered('hearth.ask', argument, question);
  }

  async answered(command, argument, question) {
    const token = `view-${++this.count}`;
    const stop = new vscode.CancellationTokenSource();
    this.answers.begin(token);
    this.stops.add(stop);
    this.tell({ begin: { token, question } });
    try {
      const answer = await this.run(command, { ...argument, token }, stop.token);
      if (answer && !answer.problem) this.thread = answer.thread_id;
      this.tell({ finish: { token, answer, problem: answer ? problem(answer) : 'No answer came.' } });
    } catch (error) {
      const stopped = stop.token.isCancellationRequested;
      this.tell({ finish: { token, problem: stopped ? 'Stopped.' : String(error.message ?? error) } });
    } finally {
      this.stops.delete(stop);
      stop.dispose();
      this.answers.end(token);
    }
  }

  async heard(message) {
    if (message.ready) {
      this.ready = true;
      for (const one of this.waiting.splice(0)) this.view.webview.postMessage(one);
    }
    if (message.ask) await this.ask(message.ask, message.again);
    if (message.stop) for (const stop of this.stops) stop.cancel();
    if (message.open) await AskView.show(message.open);
  }

  tell(message) {
    if (this.view && this.ready) this.view.webview.postMessage(message);
    else this.waiting.push(message);
  }

  static async show({ url, uri, line }) {
    if (url && /^https?:/.test(url)) return vscode.env.openExternal(vscode.Uri.parse(url, true));
    if (!uri || !uri.startsWith('file:')) return undefined;
    const at = new vscode.Position(Math.max(0, line - 1), 0);
    return vscode.window.showTextDocument(vscode.Uri.parse(uri, true), { selection: new vscode.Range(at, at) });
  }
}
exports.AskView = AskView;
