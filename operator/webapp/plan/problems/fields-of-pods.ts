// Which field of the spec to look at when something is wrong with a container or a pod.
import type { Component } from '../../names.ts';
import type { ContainerState } from '../../observed.ts';
import { APP_CONTAINER } from '../../render/application-container.ts';

export interface ContainerFields {
  readonly what: string;
  /** Whether its image is the application's. */
  readonly isApp: boolean;
  readonly image: string;
  readonly crash: string;
  readonly memory: string;
}

const WORKER: ContainerFields = {
  what: 'The application',
  isApp: true,
  image: 'spec.image',
  crash: 'spec.app',
  memory: 'spec.resources.limits.memory',
};
const MIGRATE: ContainerFields = { ...WORKER, what: 'The migration', crash: 'spec.migrate.command' };
const PROXY: ContainerFields = {
  what: 'The proxy',
  isApp: false,
  image: 'spec.proxy.podTemplate',
  crash: 'spec.proxy',
  memory: 'spec.proxy.resources.limits.memory',
};
const STATICS: ContainerFields = {
  ...PROXY,
  what: 'The copying of the static files',
  image: 'spec.image',
  crash: 'spec.proxy.static',
};

export function fieldsOfContainer(component: Component, { name, init }: ContainerState): ContainerFields {
  if (component === 'proxy') {
    if (init) return STATICS;
    return name === 'proxy' ? PROXY : extra(name, 'spec.proxy.podTemplate');
  }
  if (name !== APP_CONTAINER && name !== 'migrate') return extra(name, 'spec.podTemplate');
  return component === 'migrate' ? MIGRATE : WORKER;
}

function extra(name: string, template: string): ContainerFields {
  return { what: `Container ${name}`, isApp: false, image: template, crash: template, memory: template };
}

export function resourcesField(component: Component): string {
  return component === 'proxy' ? 'spec.proxy.resources' : 'spec.resources';
}

export function templateField(component: Component): string {
  return component === 'proxy' ? 'spec.proxy.podTemplate' : 'spec.podTemplate';
}

export function podsOf(component: Component): string {
  return component === 'proxy' ? 'proxy pods' : component === 'migrate' ? 'the migration’s pod' : 'worker pods';
}
