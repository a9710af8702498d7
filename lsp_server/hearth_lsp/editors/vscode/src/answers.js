// The text of answers while they come. Pure.
class Answers {
  constructor() { this.texts = new Map(); }

  begin(token) { this.texts.set(token, ''); }

  // All of it so far, or undefined for an answer that nobody waits for.
  take(piece) {
    if (!this.texts.has(piece.token)) return undefined;
    const text = piece.text ?? this.texts.get(piece.token) + piece.append;
    this.texts.set(piece.token, text);
    return text;
  }

  end(token) { this.texts.delete(token); }
}
exports.Answers = Answers;

// What went wrong, in one sentence for a person; empty when nothing did.
exports.problem = (result) => (result && result.problem ? `${result.problem.detail} ${result.problem.fix}`.trim() : '');
