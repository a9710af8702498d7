// What the status bar shows of what the server tells. Pure.
const ICONS = { starting: '$(loading~spin)', thinking: '$(loading~spin)', 'needs you': '$(bell-dot)', fault: '$(error)', offline: '$(circle-slash)' };

exports.shown = (status) => ({
  text: `${ICONS[status.state] ?? '$(flame)'} Hearth${status.state === 'idle' || status.busy ? '' : `: ${status.state}`}`,
  tooltip: status.message,
  warns: status.kind === 'Error' || status.kind === 'Warning',
});
