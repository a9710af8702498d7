;;; hearth.el --- Hearth in Emacs, through eglot  -*- lexical-binding: t; -*-

;; Emacs 28 and later with eglot (built in from 29). (require 'hearth), then M-x eglot in a buffer of hearth-modes,
;; or (add-hook 'prog-mode-hook #'eglot-ensure). See docs/editors/emacs.md.

;;; Code:

(require 'eglot)

(defgroup hearth nil "Hearth, the local agent." :group 'tools)

(defcustom hearth-command '("hearth" "lsp")
  "The command that starts the language server."
  :type '(repeat string))

(defcustom hearth-modes '(text-mode markdown-mode fundamental-mode)
  "Major modes in which eglot starts Hearth when it knows no other server for them."
  :type '(repeat symbol))

(add-to-list 'eglot-server-programs (cons hearth-modes hearth-command) t)

(defun hearth--run (command &rest argument)
  "Ask the server to do COMMAND with the object ARGUMENT, a property list."
  (let ((result (jsonrpc-request (eglot--current-server-or-lose) :workspace/executeCommand
                                 (list :command command :arguments (vector argument)) :timeout 600)))
    (or result (list :none t))))

(defun hearth--place ()
  "The file and the region, or the line at point, as the server names them."
  (let* ((first (if (use-region-p) (region-beginning) (line-beginning-position)))
         (last (if (use-region-p) (region-end) (line-end-position)))
         (at (lambda (point) (list :line (1- (line-number-at-pos point t)) :character 0))))
    (list :uri (eglot--path-to-uri buffer-file-name)
          :range (list :start (funcall at first)
                       :end (list :line (line-number-at-pos (max first (1- last)) t) :character 0)))))

(defun hearth-ask (question)
  "Ask Hearth QUESTION; the answer comes with its sources."
  (interactive "sAsk Hearth: ")
  (hearth--run "hearth.ask" :text question))

(defun hearth-recall (words)
  "Show what Hearth remembers about WORDS."
  (interactive "sRecall: ")
  (hearth--run "hearth.recall" :text words))

(defun hearth-edit (instruction)
  "Edit the region, or the line at point, by INSTRUCTION."
  (interactive "sEdit: ")
  (apply #'hearth--run "hearth.edit" :instruction instruction (hearth--place)))

(defun hearth-explain ()
  "Explain the region, or the line at point."
  (interactive)
  (apply #'hearth--run "hearth.explain" (hearth--place)))

(provide 'hearth)
;;; hearth.el ends here
