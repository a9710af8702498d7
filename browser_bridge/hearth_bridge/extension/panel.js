// The panel's composition root: everything is made here, and told of each other here.

import * as browser from './js/browser.js';
import {Conversation} from './js/conversation.js';
import {Link} from './js/link.js';
import {Pages} from './js/pages.js';
import {Panel} from './js/panel.js';

const link = new Link(browser.world);
const panel = new Panel({browser, link});
panel.pages = new Pages(link, browser, () => panel.showPage());
panel.conversation = new Conversation(link, {
  id: () => crypto.randomUUID(),
  later: (ms, then) => setTimeout(then, ms),
  keep: (state) => browser.here.write(state),
}, (what, which) => panel.conversationChanged(what, which));
panel.start();
