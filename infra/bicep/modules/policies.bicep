metadata description = 'What Azure Policy looks at in this resource group, where it is wanted: it reports, and refuses nothing.'

@description('What every name ends with.')
param suffix string

// "Microsoft cloud security benchmark", built in, the same id in every tenant.
resource benchmark 'Microsoft.Authorization/policyAssignments@2025-11-01' = {
  name: 'security-${suffix}'
  properties: {
    displayName: 'Microsoft cloud security benchmark (${suffix})'
    policyDefinitionId: tenantResourceId(
      'Microsoft.Authorization/policySetDefinitions',
      '1f3afdf9-d0c9-4c3d-847f-89da613e70a8'
    )
    enforcementMode: 'DoNotEnforce'
  }
}
