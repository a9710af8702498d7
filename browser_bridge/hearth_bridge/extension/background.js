// Wakes when the person clicks Hearth's icon or one of its menu items: opens the panel, and leaves there what was chosen.
// The panel speaks to Hearth itself, so nothing that is being answered depends on whether this worker lives.

import {menu, onAction, openPanel, wish} from './js/browser.js';

const PAGE = ['http://*/*', 'https://*/*'];

onAction((tab) => openPanel(tab.windowId));

menu([
  {id: 'ask-page', title: 'Ask Hearth about this page', contexts: ['page'], documentUrlPatterns: PAGE},
  {id: 'ask-selection', title: 'Ask Hearth about the selection', contexts: ['selection'], documentUrlPatterns: PAGE},
  {id: 'remember', title: 'Remember this page', contexts: ['page'], documentUrlPatterns: PAGE},
], (info, tab) => {
  openPanel(tab.windowId);
  wish.leave({
    kind: info.menuItemId, windowId: tab.windowId, tabId: tab.id, url: info.pageUrl ?? tab.url ?? '',
    title: tab.title ?? '', text: (info.selectionText ?? '').slice(0, 100_000), at: Date.now(),
  });
});
