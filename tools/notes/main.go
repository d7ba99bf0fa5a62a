// Command notes checks with golang.org/x/mod, an implementation that is not ours, what Rekey's audit log made:
// signed notes, checkpoints, inclusion and consistency proofs. It also signs a note, so that reading is checked
// the other way round. It is for tests only. The request is JSON on standard input, the answer JSON on standard
// output; an answer with an error is an answer.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	Key        string `json:"key"`
	Checkpoint string `json:"checkpoint"`
	Former     string `json:"former"`
	Entries    []struct {
		Index int64       `json:"index"`
		Text  string      `json:"text"`
		Proof []tlog.Hash `json:"proof"`
	} `json:"entries"`
	Consistency []tlog.Hash `json:"consistency"`
	Sign        string      `json:"sign"`
}

type answer struct {
	Error  string `json:"error,omitempty"`
	Size   int64  `json:"size"`
	Proved int    `json:"proved"`
	Key    string `json:"key,omitempty"`
	Note   string `json:"note,omitempty"`
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	got, err := check(asked)
	if err != nil {
		got.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
		os.Exit(2)
	}
}

func check(asked request) (answer, error) {
	if asked.Sign != "" {
		return sign(asked.Sign)
	}
	verifier, err := note.NewVerifier(asked.Key)
	if err != nil {
		return answer{}, err
	}
	tree, err := open(asked.Checkpoint, verifier)
	if err != nil {
		return answer{}, err
	}
	got := answer{Size: tree.N}
	for _, entry := range asked.Entries {
		leaf := tlog.RecordHash([]byte(entry.Text))
		if err := tlog.CheckRecord(entry.Proof, tree.N, tree.Hash, entry.Index, leaf); err != nil {
			return got, err
		}
		got.Proved++
	}
	if asked.Former != "" {
		former, err := open(asked.Former, verifier)
		if err != nil {
			return got, err
		}
		if err := tlog.CheckTree(asked.Consistency, tree.N, tree.Hash, former.N, former.Hash); err != nil {
			return got, err
		}
		got.Proved++
	}
	return got, nil
}

// open reads a checkpoint as C2SP tlog-checkpoint has it: origin, size and root, a line each.
func open(text string, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func sign(text string) (answer, error) {
	secret, key, err := note.GenerateKey(rand.Reader, "outside.example/log")
	if err != nil {
		return answer{}, err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return answer{}, err
	}
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	return answer{Key: key, Note: string(bytes.Clone(signed))}, err
}
