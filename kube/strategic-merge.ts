// Strategic merge of pod templates, as `kubectl patch` does it: maps merge, lists that have a merge key (containers by name, …) merge by
// it, other lists are replaced; null removes. Directives `$patch: delete|replace` are understood.

/** Pure; neither argument is changed. @param patch a partial PodTemplateSpec, from a person: hostile shapes (a text where a list belongs) replace what stood there */
export declare function mergePodTemplate(template: object, patch: object): object;
