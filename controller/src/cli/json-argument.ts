import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fail } from '../lib/error-catalogue.ts'
import { errorMessage } from '../lib/errors.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import type { Terminal } from './terminal.ts'

/** A JSON object from an argument: as text, `@file`, or `-` for standard input. Throws SW_USAGE naming the flag. */
export async function readJsonObject(flag: string, argument: string, terminal: Terminal): Promise<JsonObject> {
  const value = parseJson(flag, await readArgument(flag, argument, terminal))
  if (!isObject(value)) throw fail('SW_USAGE', `${flag} must be a JSON object`)
  return value as JsonObject
}

/** Any JSON value from an argument: a file (also as `@file`), `-` for standard input, or the JSON itself. */
export async function readJson(flag: string, argument: string, terminal: Terminal): Promise<Json> {
  const isFile = argument !== '-' && !argument.startsWith('@') && !isJson(argument)
  return parseJson(flag, await readArgument(flag, isFile ? `@${argument}` : argument, terminal))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // Somebody who begins like JSON means JSON, and wants to hear what is wrong with it.
    return /^\s*[[{"]/.test(text)
  }
}

function parseJson(flag: string, text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw fail('SW_USAGE', `${flag} is not JSON: ${errorMessage(cause)}`, {
      cause,
      remedy: `write it like ${flag} '{"host":"web-1"}', ${flag} @file.json, or ${flag} - for standard input`,
    })
  }
}

async function readArgument(flag: string, argument: string, terminal: Terminal): Promise<string> {
  if (argument === '-') return terminal.stdin()
  if (!argument.startsWith('@')) return argument
  const path = resolve(terminal.cwd, argument.slice(1))
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw fail('SW_USAGE', `${flag}: ${path} cannot be read: ${errorMessage(cause)}`, { cause })
  }
}

/**
 * `key=value` pairs of a flag that may be given several times. A value that is JSON keeps its type (`3`, `true`, `[1]`,
 * `"3"` for a text), anything else is a text.
 */
export function readPairs(flag: string, pairs: readonly string[]): JsonObject {
  const result: JsonObject = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw fail('SW_USAGE', `${flag} "${pair}" is not key=value`)
    result[pair.slice(0, at)] = jsonOrText(pair.slice(at + 1))
  }
  return result
}

function jsonOrText(text: string): JsonObject[string] {
  try {
    return JSON.parse(text) as JsonObject[string]
  } catch {
    return text
  }
}

/** Collects a flag that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
