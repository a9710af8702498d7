-- Hearth inside Neovim (0.7 and later): one client for all buffers; ghost text from 0.12 on, elsewhere completion and actions.
-- require('hearth').setup{} in init.lua; docs/editors/neovim.md says what can be set.
local M = {}

local defaults = {
  cmd = { 'hearth', 'lsp' },
  accept = '<Tab>',                 -- the key that takes a ghost text; false for none
  completion = { enabled = true, debounceMs = 75 },
  hover = { enabled = true },
}
local config = defaults
local client_id
local shown = { state = 'starting', message = 'Hearth is starting.' }
local views = {}                    -- token of a question -> the buffer that shows its answer
local count = 0
local has = function(version) return vim.fn.has('nvim-' .. version) == 1 end

-- -- what is shown

local function say(message, level)
  if not vim.startswith(message, 'Hearth ') then message = 'Hearth: ' .. message end
  vim.notify(message, level or vim.log.levels.INFO)
end

local function lines_of(text) return vim.split((text:gsub('\r', '')), '\n', { plain = true }) end

local function view(title)
  vim.cmd('botright new')
  local buffer = vim.api.nvim_get_current_buf()
  local set = function(name, value) vim.api.nvim_buf_set_option(buffer, name, value) end
  if has('0.10') then set = function(name, value) vim.api.nvim_set_option_value(name, value, { buf = buffer }) end end
  set('buftype', 'nofile'); set('bufhidden', 'wipe'); set('swapfile', false); set('filetype', 'markdown')
  count = count + 1
  pcall(vim.api.nvim_buf_set_name, buffer, 'hearth://' .. count .. '/' .. title:gsub('[^%w]+', '-'):sub(1, 40))
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { title, '', '…' })
  vim.api.nvim_buf_set_keymap(buffer, 'n', 'q', '<Cmd>close<CR>', { silent = true, noremap = true })
  vim.cmd('wincmd p')
  return { buffer = buffer, text = '' }
end

local function fill(one, text)
  if one and vim.api.nvim_buf_is_valid(one.buffer) then
    vim.api.nvim_buf_set_lines(one.buffer, 0, -1, false, lines_of(text))
  end
end

-- Approvals stand above the lines that they would change; asked for only when others wait than before.
local function look_at_approvals()
  local lens = vim.lsp.codelens
  if not lens or not client_id then return end
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.lsp.buf_is_attached(buffer, client_id) then
      if lens.enable then lens.enable(true, { bufnr = buffer })
      else vim.api.nvim_buf_call(buffer, function() lens.refresh() end) end
    end
  end
end

local handlers = {
  ['hearth/didChangeStatus'] = function(_, status)
    if status.approvals ~= (shown.approvals or 0) then vim.schedule(look_at_approvals) end
    shown = status
    vim.g.hearth_status = M.status()
    vim.cmd('redrawstatus!')
  end,
  ['hearth/answer'] = function(_, piece)
    local one = views[piece.token]
    if one then
      one.text = piece.text or (one.text .. piece.append)
      fill(one, one.text)
    end
  end,
}

-- What stands in a status line: short, and empty while all is well and idle.
function M.status()
  if shown.busy then return 'Hearth …' end
  if shown.state == 'idle' then return 'Hearth' end
  return 'Hearth: ' .. shown.state
end

-- All of it, as the server tells it.
function M.shown() return shown end

-- -- what is asked

local function client() return client_id and vim.lsp.get_client_by_id(client_id) end

local function run(command, argument, done)
  local one = client()
  if not one then return say('the language server does not run; see :checkhealth or the log.', vim.log.levels.WARN) end
  local params = { command = command, arguments = { argument } }
  local function answered(err, result)
    if err then return say(err.message or 'it failed.', vim.log.levels.WARN) end
    if type(result) == 'table' and result.problem then
      say(result.problem.detail .. ' ' .. result.problem.fix, vim.log.levels.WARN)
      return done and done(nil)
    end
    if done then done(result) end
  end
  if has('0.11') then one:request('workspace/executeCommand', params, answered)
  else one.request('workspace/executeCommand', params, answered) end
end

local function lines(first, last)
  return { start = { line = first - 1, character = 0 }, ['end'] = { line = last, character = 0 } }
end

local function here(argument, first, last)
  argument.uri = vim.uri_from_bufnr(0)
  if first then argument.range = lines(first, last) end
  return argument
end

local function answered_in_view(command, argument, title)
  count = count + 1
  argument.token = 'view-' .. count
  local one = view(title)
  views[argument.token] = one
  run(command, argument, function(result)
    views[argument.token] = nil
    if result then return fill(one, result.page) end
    if vim.api.nvim_buf_is_valid(one.buffer) then vim.api.nvim_buf_delete(one.buffer, { force = true }) end
  end)
end

local function with_words(prompt, words, done)
  if words ~= '' then return done(words) end
  vim.ui.input({ prompt = prompt }, function(said) if said and said ~= '' then done(said) end end)
end

function M.ask(words, options)
  options = options or {}
  with_words('Ask Hearth: ', words or '', function(text)
    local argument = here({ text = text, ['continue'] = options.continue or false, thread_id = options.thread_id }, options.first, options.last)
    if not options.first then argument.uri = nil end
    answered_in_view('hearth.ask', argument, text)
  end)
end

function M.explain(first, last) answered_in_view('hearth.explain', here({}, first, last), 'Explain') end

function M.recall(words)
  with_words('Recall: ', words or '', function(text)
    run('hearth.recall', { text = text }, function(result) if result then fill(view(text), result.page) end end)
  end)
end

local function told_about_edit(result)
  if result and not result.applied then say('nothing was changed.') end
end

function M.edit(first, last, words)
  local argument = here({}, first, last)
  with_words('Edit: ', words or '', function(text)
    argument.instruction = text
    run('hearth.edit', argument, told_about_edit)
  end)
end

function M.fix()
  local row = vim.api.nvim_win_get_cursor(0)[1]
  local found = vim.diagnostic.get(0, { lnum = row - 1 })[1]
  if not found then return say('no problem is reported on this line.') end
  run('hearth.fix', here({ message = found.message, source = found.source or '' }, row, row), told_about_edit)
end

-- The cursor in the server's own counting; in normal mode, on the last letter of a line, what lies behind it.
local function cursor(encoding)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local line = vim.api.nvim_get_current_line()
  if vim.fn.mode() == 'n' and column + 1 == vim.fn.byteidx(line, vim.fn.strchars(line) - 1) + 1 then column = #line end
  if encoding == 'utf-8' then return { line = row - 1, character = column } end
  if has('0.11') then return { line = row - 1, character = vim.str_utfindex(line, encoding, column) } end
  local points, units = vim.str_utfindex(line, column)
  return { line = row - 1, character = encoding == 'utf-16' and units or points }
end

function M.complete()
  local one = client()
  local at = cursor(one and one.offset_encoding or 'utf-16')
  run('hearth.complete', { uri = vim.uri_from_bufnr(0), range = { start = at, ['end'] = at } })
end

function M.threads()
  run('hearth.threads', {}, function(result)
    local threads = result and result.threads or {}
    if #threads == 0 then return say('there is no thread yet.') end
    local name = function(thread) return ('%s (%s)'):format(thread.title, thread.door) end
    vim.ui.select(threads, { prompt = 'Go on in', format_item = name }, function(thread)
      if thread then M.ask('', { thread_id = thread.id }) end
    end)
  end)
end

-- -- setting up

local function attach()
  if vim.bo.buftype ~= '' or vim.api.nvim_buf_get_name(0) == '' then return end
  local buffer = vim.api.nvim_get_current_buf()
  local settings = {
    name = 'hearth', cmd = config.cmd, root_dir = vim.fn.getcwd(), handlers = handlers,
    init_options = { answers = 'client', completion = config.completion, hover = config.hover },
    on_exit = function() client_id = nil end,
  }
  if not client() then client_id = vim.lsp.start_client and not has('0.11') and vim.lsp.start_client(settings) or vim.lsp.start(settings, { attach = false }) end
  if client_id and not vim.lsp.buf_is_attached(buffer, client_id) then vim.lsp.buf_attach_client(buffer, client_id) end
  if vim.lsp.inline_completion then
    vim.lsp.inline_completion.enable(config.completion.enabled ~= false, { bufnr = buffer })
  elseif vim.bo.omnifunc == '' then
    vim.bo.omnifunc = 'v:lua.vim.lsp.omnifunc'
  end
end

local function commands()
  local command = vim.api.nvim_create_user_command
  command('HearthAsk', function(o)
    M.ask(o.args, { continue = o.bang, first = o.range > 0 and o.line1 or nil, last = o.line2 })
  end, { nargs = '*', range = true, bang = true, desc = 'Ask Hearth; with a range about those lines, with ! in the same thread' })
  command('HearthExplain', function(o) M.explain(o.line1, o.line2) end, { range = true, desc = 'Explain these lines' })
  command('HearthEdit', function(o) M.edit(o.line1, o.line2, o.args) end, { nargs = '*', range = true, desc = 'Edit these lines by an instruction' })
  command('HearthFix', M.fix, { desc = 'Fix the problem reported on this line' })
  command('HearthRecall', function(o) M.recall(o.args) end, { nargs = '*', desc = 'What Hearth remembers' })
  command('HearthComplete', M.complete, { desc = 'Complete at the cursor' })
  command('HearthThreads', M.threads, { desc = 'Go on in a thread of any door' })
  command('HearthStatus', function() say(shown.message) end, { desc = 'How Hearth is' })
end

-- A code action names a command of the server: here the person can be asked, and the answer has a place.
local function actions()
  vim.lsp.commands['hearth.edit'] = function(command)
    local argument = command.arguments[1]
    with_words('Edit: ', argument.instruction or '', function(text)
      argument.instruction = text
      run('hearth.edit', argument, told_about_edit)
    end)
  end
  vim.lsp.commands['hearth.explain'] = function(command) answered_in_view('hearth.explain', command.arguments[1], 'Explain') end
  vim.lsp.commands['hearth.approval'] = function(command) run('hearth.approval', command.arguments[1]) end
  vim.lsp.commands['hearth.decide'] = function(command)
    local argument = command.arguments[1]
    if argument.decision ~= 'respond' then return run('hearth.decide', argument) end
    with_words('Why not, or what instead: ', argument.text or '', function(text)
      argument.text = text
      run('hearth.decide', argument)
    end)
  end
  vim.lsp.commands['hearth.fix'] = function(command) run('hearth.fix', command.arguments[1], told_about_edit) end
end

local function accept_key()
  if not config.accept or not vim.lsp.inline_completion then return end
  vim.keymap.set('i', config.accept, function()
    if not vim.lsp.inline_completion.get() then return config.accept end
  end, { expr = true, replace_keycodes = true, desc = 'Take what Hearth suggests' })
end

function M.setup(options)
  config = vim.tbl_deep_extend('force', defaults, options or {})
  commands()
  actions()
  accept_key()
  local group = vim.api.nvim_create_augroup('hearth', { clear = true })
  vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile', 'BufFilePost' }, { group = group, callback = function() vim.schedule(attach) end })
  attach()
end

return M
