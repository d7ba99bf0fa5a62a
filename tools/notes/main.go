// Command notes checks with implementations that are not ours what Rekey's audit log made: checkpoints with
// github.com/transparency-dev/formats, signed notes, inclusion and consistency proofs with golang.org/x/mod. It also signs a note, so that reading is checked
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

	"github.com/transparency-dev/formats/log"
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

// open reads a checkpoint as C2SP tlog-checkpoint has it, signature and all, with the parser that logs and witnesses use.
func open(text string, verifier note.Verifier) (tlog.Tree, error) {
	checkpoint, rest, _, err := log.ParseCheckpoint([]byte(text), verifier.Name(), verifier)
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(rest) > 0 || len(checkpoint.Hash) != tlog.HashSize {
		return tlog.Tree{}, errors.New("not a checkpoint as ours are")
	}
	return tlog.Tree{N: int64(checkpoint.Size), Hash: tlog.Hash(checkpoint.Hash)}, nil
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
