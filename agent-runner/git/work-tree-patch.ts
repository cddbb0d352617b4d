// Compares a work tree with the base commit through a git folder of its own, so that nothing in the tree's `.git` is believed.
// May: write below its scratch folder, read the tree and the objects of the base.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git, GitOptions } from './driver.ts';
import { treeDifference, type ChangedFile } from './changed-files.ts';

export interface WorkTreePatchPlace {
  readonly workTree: string;
  /** Is emptied and written. */
  readonly scratch: string;
  /** Object folder that has the base. */
  readonly baseObjects: string;
  readonly base: string;
}

/** What tests and package managers leave behind and nobody wants in a commit, even where the repository has no .gitignore. */
const droppings = ['__pycache__/', '*.pyc', 'node_modules/', '.venv/', '.pytest_cache/', '.mypy_cache/', '.gradle/', '.DS_Store'];

const MAX_DIFF_BYTES = 64 * 1024 * 1024;

export class WorkTreePatch {
  readonly #git: Git;
  readonly #options: GitOptions;
  readonly #base: string;

  private constructor(git: Git, options: GitOptions, base: string) {
    this.#git = git;
    this.#options = options;
    this.#base = base;
  }

  static async open(git: Git, place: WorkTreePatchPlace): Promise<WorkTreePatch> {
    await rm(place.scratch, { recursive: true, force: true });
    await mkdir(place.scratch, { recursive: true });
    const bare: GitOptions = { gitDir: place.scratch };
    await git.run(['init', '--quiet', '--bare', '--template='], bare);
    await mkdir(join(place.scratch, 'info'), { recursive: true });
    await writeFile(join(place.scratch, 'info/exclude'), `${droppings.join('\n')}\n`);
    await writeFile(join(place.scratch, 'objects/info/alternates'), `${place.baseObjects}\n`);
    await git.run(['read-tree', place.base], bare);
    return new WorkTreePatch(git, { ...bare, workTree: place.workTree, maxBytes: MAX_DIFF_BYTES }, place.base);
  }

  /** The patch from the base to the tree as it is now; empty when nothing is changed. Throws `GitFailed`. */
  async diff(): Promise<Buffer> {
    await this.#stage();
    return this.#git.run(
      [
        'diff-index',
        '--cached',
        '--patch',
        '--binary',
        '--full-index',
        '--no-renames',
        '--no-ext-diff',
        '--no-textconv',
        this.#base,
        '--',
      ],
      this.#options,
    );
  }

  async changedFiles(): Promise<readonly ChangedFile[]> {
    await this.#stage();
    const tree = await this.#git.line(['write-tree'], this.#options);
    return treeDifference(this.#git, this.#options, { from: this.#base, to: tree });
  }

  /** Files of the tree that are tracked or would be. */
  async files(): Promise<readonly string[]> {
    await this.#stage();
    const listed = await this.#git.run(['ls-files', '--cached', '-z'], this.#options);
    return listed
      .toString('utf8')
      .split('\0')
      .filter((name) => name !== '');
  }

  async #stage(): Promise<void> {
    await this.#git.run(['add', '--all', '--', '.'], this.#options);
  }
}
