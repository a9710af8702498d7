// The options page: the connection, what the person said about each site, and what the browser lets Hearth see.

import * as browser from './js/browser.js';
import {at, fill, h} from './js/dom.js';
import {Link, State} from './js/link.js';
import {asProblem} from './js/problem.js';
import {PairingView} from './js/views/pairing.js';
import {problemView} from './js/views/problem.js';

const LEVELS = {off: 'never read', ask: 'ask each time', remember: 'remember what I ask about'};
const link = new Link(browser.world);

function connection({name, note}) {
  if (name === State.UNPAIRED) return new PairingView(at('connection'), link, browser).show(note);
  const words = {
    [State.OPEN]: ['Connected', 'This browser is paired with Hearth on this machine.'],
    [State.CONNECTING]: ['Connecting…', 'Looking for Hearth on this machine.'],
    [State.OFFLINE]: ['Hearth is not running', 'This browser is paired; it connects as soon as Hearth runs. Start it with “hearth up”.'],
  }[name];
  const forget = h('button.danger', {type: 'button', id: 'forget', onclick: () => askToForget(forget)}, 'Forget this browser');
  const again = name === State.OFFLINE && h('button', {type: 'button', onclick: () => link.retry()}, 'Try again');
  return fill(at('connection'), h('h2', {}, words[0]), h('p.muted', {}, words[1]), h('div.row', {}, again, forget));
}

function askToForget(button) {
  const sure = h('button.danger', {type: 'button', id: 'forget-sure', onclick: () => link.forget()}, 'Delete the token here');
  button.replaceWith(sure, h('p.small.muted', {}, 'Hearth’s own list names this browser until you revoke it there, in the tray or with “hearth clients revoke”.'));
  sure.focus();
}

async function sites() {
  const section = at('sites');
  const head = [h('h2', {}, 'Sites'), h('p.muted', {}, 'Unless you say otherwise, a page is read when you ask for it, and kept when you press Remember.')];
  if (link.state.name !== State.OPEN) return fill(section, head, h('p.muted', {}, 'Shown once Hearth is connected.'));
  try {
    const {consents} = await link.call('GET', '/v1/consents');
    const mine = consents.filter((one) => one.door === 'browser');
    return fill(section, head, mine.length ? siteTable(mine) : h('p', {}, 'Nothing was said about any site yet. The panel has the choice beside a page’s name.'));
  } catch (error) {
    return fill(section, head, problemView(asProblem(error)));
  }
}

function siteTable(consents) {
  const rows = consents.map(({subject, level}) => {
    const choose = async (event) => {
      await link.call('PUT', '/v1/consents', {door: 'browser', subject, level: event.target.value});
      await sites();
    };
    const options = Object.entries(LEVELS).map(([value, label]) => h('option', {value, selected: value === level}, label));
    return h('tr', {}, h('td', {}, subject), h('td', {}, h('select', {'aria-label': subject, onchange: choose}, options)));
  });
  return h('table', {}, h('thead', {}, h('tr', {}, h('th', {}, 'site'), h('th', {}, 'Hearth may'))), h('tbody', {}, rows));
}

async function access() {
  const patterns = await browser.allowedSites();
  const rows = patterns.map((pattern) => h('tr', {}, h('td', {}, pattern.replace(/^\*:\/\/|\/\*$/g, '') || 'all sites'), h('td', {},
    h('button', {type: 'button', onclick: () => browser.disallow(pattern).then(access)}, 'Take back'))));
  fill(at('access'), h('h2', {}, 'What this browser lets Hearth see'),
    h('p.muted', {}, 'A click on Hearth’s icon opens the one page in front, until you leave it. Sites that you allowed for longer:'),
    rows.length ? h('table', {}, h('tbody', {}, rows)) : h('p', {}, 'None.'));
}

link.onState((state) => {
  connection(state);
  sites();
});
browser.pairing.onChange((kept) => link.keptChanged(kept));
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && link.retry());
at('version').textContent = `Extension ${browser.version()}`;
connection(link.state);
sites();
access();
link.start();
