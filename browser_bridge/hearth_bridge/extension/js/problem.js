// What could not be done: what happened, what to do. The same shape as the backend's problems.

export class Problem extends Error {
  constructor({code = 'internal', detail = '', fix = '', retryable = false, ...data} = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.detail = detail || 'Something went wrong.';
    this.fix = fix;
    this.retryable = retryable;
    this.data = data;
  }
}

export const unreachable = () => new Problem({
  code: 'backend_unavailable',
  detail: 'Hearth was not reached.',
  fix: 'It goes on as soon as Hearth is there again.',
  retryable: true,
});

/** Any error as a Problem, so that a person is told in one manner. */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  return new Problem({detail: String(error?.message ?? error)});
}
