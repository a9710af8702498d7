-- Neovim, driven from inside: prints one line of JSON for each thing that happened. HEARTH_TEST_RTP is our plugin's
-- folder, HEARTH_TEST_CMD the server, HEARTH_TEST_FILE the file that is opened.
local function tell(name, value) io.stdout:write(vim.fn.json_encode({ name = name, value = value }) .. '\n') end
local function wait(holds) return vim.wait(60000, holds, 20) end
local function buffer_text() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') end
local function answer_text()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(buffer):find('hearth://', 1, true) then
      return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
    end
  end
  return ''
end

vim.opt.runtimepath:prepend(vim.env.HEARTH_TEST_RTP)
local notes = {}
vim.notify = function(message) notes[#notes + 1] = message end
vim.ui.input = function(_, done) done('return the sum') end
local hearth = require('hearth')
hearth.setup({ cmd = vim.fn.json_decode(vim.env.HEARTH_TEST_CMD) })

local ok, problem = pcall(function()
  vim.cmd('edit ' .. vim.env.HEARTH_TEST_FILE)
  wait(function() return hearth.shown().state == 'idle' end)
  tell('status', hearth.status())
  local v = vim.version()
  tell('version', v.major .. '.' .. v.minor .. '.' .. v.patch)

  vim.cmd('HearthAsk Who is there?')
  wait(function() return answer_text():find('this machine', 1, true) end)
  tell('answer', answer_text())
  vim.cmd('only')

  vim.cmd('2,3HearthEdit')
  wait(function() return buffer_text():find('a + b', 1, true) end)
  tell('edited', buffer_text())

  local done
  vim.lsp.buf_request(0, 'textDocument/hover', vim.lsp.util.make_position_params(0, 'utf-16'), function(_, result) done = result or {} end)
  wait(function() return done end)
  tell('hover', done)

  if vim.lsp.inline_completion then
    vim.api.nvim_win_set_cursor(0, { 1, 0 })
    vim.api.nvim_feedkeys('A', 'n', false)
    vim.defer_fn(function()
      wait(function() return vim.lsp.inline_completion.get() end)
      vim.defer_fn(function() tell('completed', buffer_text()); tell('notes', notes); vim.cmd('qa!') end, 200)
    end, 1500)
  else
    vim.api.nvim_win_set_cursor(0, { 1, 8 })
    hearth.complete()
    wait(function() return buffer_text():find('import osmium', 1, true) end)
    tell('completed', buffer_text())
    tell('notes', notes)
    vim.cmd('qa!')
  end
end)
if not ok then tell('problem', tostring(problem)); vim.cmd('cq!') end
