// What the Go suites share: cases, deadlines, and the words to the runner (see src/main.rs).
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"
)

var (
	bootstrap = os.Getenv("OUZEL_BOOTSTRAP")
	answers   = bufio.NewReader(os.Stdin)
	errSkip   = errors.New("the broker isn't ours to kill")
)

// A check fails by its error, or by a panic from must.
type check struct {
	name string
	run  func() error
}

// restart has the broker killed and started again.
func restart() {
	fmt.Println("@restart")
	answer, err := answers.ReadString('\n')
	must(err)
	switch strings.TrimSpace(answer) {
	case "ok":
	case "no":
		panic(errSkip)
	default:
		panic(fmt.Errorf("the runner says %q", answer))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func get[T any](value T, err error) T {
	must(err)
	return value
}

func same(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		panic(fmt.Errorf("%s: got %.300v, want %.300v", what, got, want))
	}
}

// until calls probe until it holds.
func until(what string, seconds int, probe func() bool) {
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for !probe() {
		if time.Now().After(end) {
			panic(fmt.Errorf("no %s after %d s", what, seconds))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// exactlyOnce holds each partition's records as read against those acknowledged, and says what is amiss by its kind.
func exactlyOnce(got map[int32][]int, want map[int32][]int) {
	for partition, sent := range want {
		read := got[partition]
		if slices.Equal(read, sent) {
			continue
		}
		distinct := map[int]bool{}
		for _, value := range read {
			distinct[value] = true
		}
		lost := 0
		for _, value := range sent {
			if !distinct[value] {
				lost++
			}
		}
		panic(fmt.Errorf("partition %d: %d acknowledged, %d read, %d lost, %d duplicated, in order: %v",
			partition, len(sent), len(read), lost, len(read)-len(distinct), slices.IsSorted(read)))
	}
}

func numbers(from, to, step int) []int {
	var list []int
	for number := from; number < to; number += step {
		list = append(list, number)
	}
	return list
}

func guarded(run func() error) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			if e, ok := caught.(error); ok {
				err = e
			} else {
				err = fmt.Errorf("%v", caught)
			}
		}
	}()
	return run()
}

func main() {
	suites := map[string][]check{"franz": franz, "sarama": saramaChecks}
	checks, known := suites[os.Args[1]]
	if !known {
		fmt.Fprintln(os.Stderr, "no suite", os.Args[1])
		os.Exit(2)
	}
	for _, one := range checks {
		if len(os.Args) > 2 && !slices.Contains(os.Args[2:], one.name) {
			continue
		}
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- guarded(one.run) }()
		var err error
		select {
		case err = <-done:
		case <-time.After(90 * time.Second):
			err = errors.New("not done after 90 s")
		}
		switch {
		case err == nil:
			fmt.Printf("ok %s (%.1f s)\n", one.name, time.Since(began).Seconds())
		case errors.Is(err, errSkip):
			fmt.Printf("skip %s: %v\n", one.name, err)
		default:
			fmt.Printf("FAILED %s: %s\n", one.name, strings.Join(strings.Fields(err.Error()), " "))
		}
	}
}
