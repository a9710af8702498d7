// The one place that speaks to the browser. Chromium and Firefox differ here and nowhere else.

import {readPage} from './page.js';
import {Problem} from './problem.js';
import {NATIVE_HOST} from './protocol.js';

const PAIRING = 'pairing';
const PREFIX = 'here.';
const HERE = [`${PREFIX}draft`, `${PREFIX}threadId`];
const WISH = 'wish';

export const isFirefox = () => chrome.runtime.getURL('').startsWith('moz-extension:');
export const origin = () => new URL(chrome.runtime.getURL('')).origin;
export const version = () => chrome.runtime.getManifest().version;

/** How this browser is called in Hearth's list of those that may come in. */
export async function name() {
  const system = {mac: 'macOS', win: 'Windows', linux: 'Linux', cros: 'ChromeOS', android: 'Android', openbsd: 'OpenBSD'};
  const {os} = await chrome.runtime.getPlatformInfo();
  const brands = navigator.userAgentData?.brands.map((one) => one.brand) ?? [];
  const brand = isFirefox() ? 'Firefox' : brands.find((one) => /Edge|Opera|Brave|Vivaldi|Google Chrome/.test(one)) ?? 'Chromium';
  return `${brand.replace('Google ', '')} on ${system[os] ?? os}`;
}

// -- what is kept: the token for as long as the browser is paired, the rest for as long as the browser runs

export const pairing = {
  read: async () => (await chrome.storage.local.get(PAIRING))[PAIRING] ?? null,
  write: (value) => chrome.storage.local.set({[PAIRING]: value}),
  clear: () => chrome.storage.local.remove(PAIRING),
  onChange: (told) => onStored('local', PAIRING, told),
};

/** Each part by itself: what is written goes out at once, and no part is written over by one that was read before. */
export const here = {
  read: async () => {
    const kept = await chrome.storage.session.get(HERE);
    return Object.fromEntries(Object.entries(kept).map(([name, value]) => [name.slice(PREFIX.length), value]));
  },
  write: (part) => chrome.storage.session.set(Object.fromEntries(Object.entries(part).map(([name, value]) => [PREFIX + name, value]))),
};

/** What the person chose in a menu, for the panel that opens now or is open already. */
export const wish = {
  leave: (value) => chrome.storage.session.set({[WISH]: value}),
  take: async (windowId) => {
    const found = (await chrome.storage.session.get(WISH))[WISH];
    if (!found || found.windowId !== windowId) return null;
    await chrome.storage.session.remove(WISH);
    return found;
  },
  onLeft: (told) => onStored('session', WISH, (value) => value && told()),
};

function onStored(area, key, told) {
  chrome.storage.onChanged.addListener((changes, where) => {
    if (where === area && key in changes) told(changes[key].newValue ?? null);
  });
}

/** Ask the native host. Rejects with a Problem when there is none. */
export async function native(message) {
  try {
    return await chrome.runtime.sendNativeMessage(NATIVE_HOST, message);
  } catch {
    throw new Problem({
      code: 'no_native_host',
      detail: 'This browser does not find Hearth’s native host.',
      fix: 'Run “hearth pair browser” once, or pair with a code.',
    });
  }
}

// -- tabs and pages

export async function thisWindow() {
  return (await chrome.windows.getCurrent()).id;
}

/** The page in front; its address and title are known only where the person let us look. */
export async function frontTab(windowId) {
  const [tab] = await chrome.tabs.query({active: true, windowId});
  return tab ?? null;
}

export function onFrontChange(told) {
  chrome.tabs.onActivated.addListener(told);
  chrome.tabs.onUpdated.addListener((id, change, tab) => {
    if (tab.active && (change.status || change.title || change.url)) told();
  });
}

/** What is on a page. Rejects with the Problem `not_allowed` where the person has to allow it first. */
export async function read(tabId, longest) {
  try {
    const [done] = await chrome.scripting.executeScript({target: {tabId}, func: readPage, args: [longest]});
    if (!done?.result) throw new Error('nothing was read');
    return done.result;
  } catch (error) {
    throw new Problem({
      code: /chrome:|about:|edge:|gallery|extensions|webstore/i.test(error.message) ? 'no_page' : 'not_allowed',
      detail: 'Hearth may not read this page.',
      fix: 'Click Hearth’s icon while you are on the page, or allow the site.',
    });
  }
}

/** Only from a click. `site` is a host name; without one, whatever page is in front. */
export const allow = (site) => chrome.permissions.request({origins: [`*://${site || '*'}/*`]});

export const allowedSites = async () => (await chrome.permissions.getAll()).origins ?? [];
export const disallow = (pattern) => chrome.permissions.remove({origins: [pattern]});
export const openTab = (url) => chrome.tabs.create({url});
export const openOptions = () => chrome.runtime.openOptionsPage();

// -- opening the panel, and what leads to it

/** Only from a click or a key; must be called before anything is waited for. */
export function openPanel(windowId) {
  return chrome.sidePanel ? chrome.sidePanel.open({windowId}) : chrome.sidebarAction.open();
}

export function closePanel() {
  if (chrome.sidebarAction?.close) return chrome.sidebarAction.close();
  return globalThis.close();
}

export const onAction = (told) => chrome.action.onClicked.addListener(told);

export function menu(items, chosen) {
  chrome.runtime.onInstalled.addListener(() => {
    for (const item of items) chrome.contextMenus.create(item);
  });
  chrome.contextMenus.onClicked.addListener(chosen);
}

/** Where Link meets the browser. */
export const world = {
  store: pairing,
  native,
  open: (port, protocols) => new WebSocket(`ws://127.0.0.1:${port}/v1`, protocols),
  later: (ms, then) => setTimeout(then, ms),
  never: (timer) => clearTimeout(timer),
  isSeen: () => document.visibilityState === 'visible',
};
